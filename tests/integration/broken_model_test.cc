// Models that somebody broke, on purpose or not, in the place of one that serves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "tests/integration/test_server.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string ReadAll(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Replace(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

// A safetensors file: eight bytes of the header's length, the header, the tensors.
struct WeightsFile {
  explicit WeightsFile(fs::path file) : path(std::move(file)) {
    const std::string bytes = ReadAll(path);
    uint64_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof(size));
    header = bytes.substr(sizeof(size), size);
    tensors = bytes.substr(sizeof(size) + size);
  }
  void Write(uint64_t more_header_than_there_is = 0) const {
    const uint64_t size = header.size() + more_header_than_there_is;
    std::string bytes(sizeof(size), '\0');
    std::memcpy(bytes.data(), &size, sizeof(size));
    Replace(path, bytes + header + tensors);
  }
  void EditHeader(const std::function<void(nlohmann::json&)>& edit) {
    nlohmann::json json = nlohmann::json::parse(header);
    edit(json);
    header = json.dump();
  }

  fs::path path;
  std::string header, tensors;
};

// A repository with one model, a link to a copy of classify-language, which is turned to others.
class BrokenModelTest : public testing::Test {
 protected:
  BrokenModelTest() { Turn(Copy("good")); }

  fs::path Copy(const std::string& name) const {
    const fs::path dir = dir_.path() / absl::StrCat(".store-", name);
    fs::copy(absl::StrCat(ATTENDANT_SOURCE_DIR, "/models/classify-language"), dir);
    fs::remove(dir / "SHA256SUMS");
    return dir;
  }
  void Turn(const fs::path& dir) const {
    fs::create_directory_symlink(dir, dir_.path() / ".link");
    fs::rename(dir_.path() / ".link", dir_.path() / "language");
  }
  config::ServerConfig Config() const {
    config::ServerConfig config = TestConfig();
    config.clear_model();
    config.set_models_dir(dir_.path());
    config.mutable_repository()->set_poll_ms(2);
    config::ModelConfig& model = *config.add_model();
    model.set_name("language");
    model.set_path(dir_.path() / "language");
    return config;
  }
  static grpc::Status Classify(const TestServer& server, const std::string& text,
                               v1::ClassifyTextResponse& response) {
    v1::ClassifyTextRequest request;
    request.set_model("language");
    request.add_texts(text);
    request.set_return_logits(true);
    grpc::ClientContext context;
    const grpc::Status status =
        v1::ClassificationService::NewStub(server.channel())->ClassifyText(&context, request, &response);
    response.clear_timing();
    for (v1::TextClassification& result : *response.mutable_classifications()) result.clear_timing();
    return status;
  }
  static std::string Answer(const TestServer& server) {
    v1::ClassifyTextResponse response;
    const grpc::Status status = Classify(server, "Wo hast du dieses Buch gekauft?", response);
    return status.ok() ? response.SerializeAsString() : status.error_message();
  }

  TempDir dir_;
};

struct Breakage {
  const char* name;
  std::function<void(const fs::path&)> spoil;
  const char* reason;  // Part of what GetModel says.
};

// Of the header's JSON alone.
Breakage HeaderBreakage(const char* name, std::function<void(nlohmann::json&)> edit, const char* reason) {
  const auto spoil = [edit = std::move(edit)](const fs::path& dir) {
    WeightsFile file(dir / "model.safetensors");
    file.EditHeader(edit);
    file.Write();
  };
  return {name, spoil, reason};
}

std::vector<Breakage> BrokenWeights() {
  return {
      {"truncated", [](const fs::path& dir) { fs::resize_file(dir / "model.safetensors", 100'000); },
       "ends at byte"},
      {"lying-length",
       [](const fs::path& dir) { WeightsFile(dir / "model.safetensors").Write(uint64_t{1} << 40); },
       "says that its header has"},
      HeaderBreakage(
          "overlap",
          [](nlohmann::json& json) {
            json["classifier.bias"]["data_offsets"] = {0, 8};
          },
          "overlaps"),
      HeaderBreakage(
          "hole", [](nlohmann::json& json) { json.erase("bert.embeddings.LayerNorm.bias"); },
          "hole of 256 bytes"),
      {"duplicate",
       [](const fs::path& dir) {
         WeightsFile file(dir / "model.safetensors");
         file.header =
             absl::StrReplaceAll(file.header, {{"\"bert.pooler.dense.bias\"", "\"classifier.bias\""}});
         file.Write();
       },
       "appears twice"},
      {"deep",
       [](const fs::path& dir) {
         WeightsFile file(dir / "model.safetensors");
         file.header = absl::StrCat("{\"t\":", std::string(1'000'000, '['));
         file.Write();
       },
       "nested deeper"},
      {"nan",
       [](const fs::path& dir) {
         WeightsFile file(dir / "model.safetensors");
         file.tensors.replace(file.tensors.size() - 1024, 1024, std::string(1024, '\x7f'));
         file.Write();
       },
       "holds a NaN or an infinity"},
  };
}

std::vector<Breakage> OtherBreakages() {
  return {
      {"pickle",
       [](const fs::path& dir) {
         fs::remove(dir / "model.safetensors");
         Replace(dir / "pytorch_model.bin",
                 "\x80\x02"
                 "cos\nsystem\n(S'touch /tmp/owned'\ntR.");
       },
       "pickle files can run code"},
      {"zip",
       [](const fs::path& dir) {
         Replace(dir / "model.safetensors", "PK\x03\x04" + std::string(1000, '\x14'));
       },
       "says that its header has"},
      {"deep-config",
       [](const fs::path& dir) {
         Replace(dir / "config.json", absl::StrCat("{\"model_type\":", std::string(1'000'000, '[')));
       },
       "config.json"},
      {"duplicate-config",
       [](const fs::path& dir) {
         Replace(dir / "config.json",
                 absl::StrReplaceAll(ReadAll(dir / "config.json"),
                                     {{"\"id2label\"", "\"vocab_size\": 7, \"id2label\""}}));
       },
       "config.json"},
      {"tokenizer-cut", [](const fs::path& dir) { fs::resize_file(dir / "tokenizer.json", 5000); },
       "tokenizer.json"},
      {"tokenizer-deep",
       [](const fs::path& dir) {
         Replace(dir / "tokenizer.json", absl::StrCat("{\"model\":", std::string(1'000'000, '[')));
       },
       "tokenizer.json"},
      {"link-out",
       [](const fs::path& dir) {
         fs::remove(dir / "tokenizer.json");
         fs::create_symlink("/etc/passwd", dir / "tokenizer.json");
       },
       "tokenizer.json"},
  };
}

TEST_F(BrokenModelTest, EachIsRefusedWithItsReasonWhileTheOldVersionServes) {
  const TestServer server(Config());
  const std::string expected = Answer(server);
  std::vector<Breakage> breakages = BrokenWeights();
  for (Breakage& more : OtherBreakages()) breakages.push_back(std::move(more));
  double refused = 0;
  for (const Breakage& breakage : breakages) {
    const fs::path dir = Copy(breakage.name);
    breakage.spoil(dir);
    Turn(dir);
    ++refused;
    ASSERT_TRUE(server.Eventually([&] {
      return server.Metric("attendant_reload_total", "result=\"failed\"") == refused;
    })) << breakage.name;
    grpc::ClientContext context;
    v1::GetModelRequest request;
    request.set_name("language");
    v1::Model model;
    EXPECT_TRUE(server.Models()->GetModel(&context, request, &model).ok());
    EXPECT_EQ(model.state(), v1::Model::READY) << breakage.name;
    EXPECT_THAT(model.state_message(), HasSubstr(breakage.reason)) << breakage.name;
    EXPECT_EQ(Answer(server), expected) << breakage.name;
  }
  EXPECT_EQ(server.Metric("attendant_model_load_failures_total", "model=\"language\""), refused);
  EXPECT_FALSE(fs::exists("/tmp/owned"));
}

// All weights are finite and the warm-up passes, but the embedding of one word is so large that the next
// layer overflows. F16 has no such number; read as BF16 the other rows are small and of no use, which does
// not matter.
TEST_F(BrokenModelTest, AnswerThatIsNotFiniteIsAnErrorAndCounted) {
  constexpr size_t kRowOfGekauft = 3460, kRowBytes = 128 * 2;
  const fs::path dir = Copy("overflow");
  WeightsFile file(dir / "model.safetensors");
  size_t begin = 0;
  file.EditHeader([&](nlohmann::json& json) {
    nlohmann::json& table = json["bert.embeddings.word_embeddings.weight"];
    table["dtype"] = "BF16";
    begin = table["data_offsets"][0].get<size_t>();
  });
  file.tensors.replace(begin + kRowOfGekauft * kRowBytes, kRowBytes,
                       std::string(kRowBytes, '\x7f'));  // 3.4e38.
  file.Write();
  Turn(dir);

  const TestServer server(Config());
  v1::ClassifyTextResponse response;
  EXPECT_TRUE(Classify(server, "Wo hast du dieses Buch gefunden?", response).ok());
  EXPECT_EQ(server.Metric("attendant_not_finite_total"), 0);
  const grpc::Status status = Classify(server, "Wo hast du dieses Buch gekauft?", response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), HasSubstr("not finite"));
  EXPECT_EQ(server.Metric("attendant_not_finite_total", "model=\"language\""), 1);
  EXPECT_TRUE(Classify(server, "Wo hast du dieses Buch gefunden?", response).ok());
}

}  // namespace
}  // namespace attendant
