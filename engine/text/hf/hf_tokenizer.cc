#include "engine/text/hf/hf_tokenizer.h"

#include <utility>

#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"
#include "engine/text/hf/pipeline.h"
#include "engine/text/hf/vocab_files.h"

namespace attendant {
namespace {

// The largest known file, of 262,144 tokens and 515,000 merges, has 34 MB and two million values.
constexpr JsonLimits kTokenizerLimits = {.max_bytes = 64 << 20, .max_depth = 24, .max_values = 4 << 20};

void PrependLowercase(nlohmann::json& document) {
  nlohmann::json& normalizer = document["normalizer"];
  nlohmann::json steps = nlohmann::json::array({{{"type", "Lowercase"}}});
  if (!normalizer.is_null()) steps.push_back(std::move(normalizer));
  normalizer = {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
}

absl::StatusOr<nlohmann::json> ReadTokenizer(const std::string& model_dir, std::string& source) {
  const absl::StatusOr<std::string> path = ResolveWithin(model_dir, "tokenizer.json");
  if (absl::IsNotFound(path.status())) {
    source = model_dir;
    return hf::TokenizerJsonFromVocabFiles(model_dir);
  }
  ATTENDANT_RETURN_IF_ERROR(path.status());
  source = *path;
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(*path, kTokenizerLimits.max_bytes));
  return ParseStrictJson(text, source, kTokenizerLimits);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TextTokenizer>> ParseTokenizerJson(std::string_view json,
                                                                  std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(const nlohmann::json document, ParseStrictJson(json, source, kTokenizerLimits));
  return hf::Pipeline::Create(document, source);
}

absl::StatusOr<std::unique_ptr<TextTokenizer>> LoadHfTokenizer(const std::string& model_dir,
                                                               TextCase text_case) {
  std::string source;
  ATTENDANT_ASSIGN_OR_RETURN(nlohmann::json document, ReadTokenizer(model_dir, source));
  if (text_case == TextCase::kLower && document.is_object()) PrependLowercase(document);
  return hf::Pipeline::Create(document, source);
}

}  // namespace attendant
