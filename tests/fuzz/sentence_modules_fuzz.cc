// A sentence-transformers directory that nobody has checked: an error, or modules that keep what their header
// promises. An input is the texts of its files, in the order of kFiles, between lines of "---"; what is
// missing is no file.
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tasks/sentence_modules.h"

namespace {

namespace fs = std::filesystem;

constexpr const char* kFiles[] = {"modules.json",          "1_Pooling/config.json",
                                  "2_Dense/config.json",   "sentence_bert_config.json",
                                  "tokenizer_config.json", "config_sentence_transformers.json"};
constexpr int32_t kHiddenDim = 2;

void Expect(bool holds) {
  if (!holds) std::abort();
}

// The weights of a Dense of [3][2].
std::string DenseWeights() {
  const std::string header = R"({"linear.bias":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},)"
                             R"("linear.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[12,36]}})";
  const std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::string file(8 + header.size() + 36, '\0');
  const uint64_t length = header.size();
  std::memcpy(file.data(), &length, 8);
  std::memcpy(file.data() + 8, header.data(), header.size());
  std::memcpy(file.data() + 8 + header.size(), values.data(), 36);
  return file;
}

// One for the process, which goes with it.
struct Directory {
  Directory() {
    std::string name = (fs::temp_directory_path() / "attendant_modules_XXXXXX").string();
    path = mkdtemp(name.data());
    fs::create_directory(path / "1_Pooling");
    fs::create_directory(path / "2_Dense");
    std::ofstream(path / "2_Dense/model.safetensors", std::ios::binary) << DenseWeights();
  }
  ~Directory() {
    std::error_code error;
    fs::remove_all(path, error);
  }

  fs::path path;
};

void WriteFiles(const fs::path& dir, std::string_view input) {
  constexpr std::string_view kSeparator = "---\n";
  bool is_over = false;
  for (const char* name : kFiles) {
    if (is_over) {
      fs::remove(dir / name);
      continue;
    }
    const size_t end = input.find(kSeparator);
    std::ofstream(dir / name, std::ios::binary) << input.substr(0, end);
    is_over = end == std::string_view::npos;
    if (!is_over) input.remove_prefix(end + kSeparator.size());
  }
}

void CheckEmbedding(const attendant::SentenceModules& modules, int32_t skipped) {
  const std::vector<float> hidden = {1, -8, 4, 2, 1, 3};  // Three tokens.
  std::vector<float> embedding(static_cast<size_t>(modules.embedding_dim()));
  attendant::Workspace workspace;
  modules.Embed(hidden.data(), 3, skipped, embedding.data(), workspace);
  for (const float value : embedding) Expect(std::isfinite(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Directory directory;
  WriteFiles(directory.path, std::string_view(reinterpret_cast<const char*>(data), size));
  const auto modules = attendant::SentenceModules::Load(directory.path, kHiddenDim);
  if (!modules.ok()) return 0;
  Expect(modules->embedding_dim() >= 1);
  Expect(modules->max_tokens() >= 0 && modules->max_tokens() <= 1 << 20);
  Expect(modules->default_prompt().empty() || modules->prompts().count(modules->default_prompt()) == 1);
  for (const int32_t skipped : {0, 1, 3, 100}) CheckEmbedding(*modules, skipped);
  return 0;
}
