#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/ops/linear.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// Ways to make one vector of a text's tokens; several stand side by side in this order.
enum class Pooling { kCls, kMax, kMean, kMeanSqrtLength, kWeightedMean, kLastToken };

// What a sentence-transformers directory puts on top of its encoder (modules.json), as version 6 does, in
// directories of older versions too. A directory without modules.json is an encoder whose tokens' mean is
// the text's vector.
// Immutable after loading: thread-safe.
class SentenceModules {
 public:
  // hidden_dim: the encoder's. Errors: DATA_LOSS a file is wrong; FAILED_PRECONDITION a module that is not
  // known or does not fit.
  static absl::StatusOr<SentenceModules> Load(const std::filesystem::path& dir, int32_t hidden_dim);

  // There is a modules.json.
  bool is_of_sentence_transformers() const { return is_of_sentence_transformers_; }
  int32_t embedding_dim() const { return embedding_dim_; }
  bool normalizes() const { return normalizes_; }
  // Of sentence_bert_config.json or its like, or tokenizer_config.json; 0: the encoder's own.
  int32_t max_tokens() const { return max_tokens_; }
  bool lowercases() const { return lowercases_; }
  // Texts put before a text, by name ("query"). default_prompt: "" for none.
  const std::map<std::string, std::string>& prompts() const { return prompts_; }
  const std::string& default_prompt() const { return default_prompt_; }
  // Whether a prompt's tokens, and special ones before them, count in pooling.
  bool pools_prompt() const { return pools_prompt_; }

  // hidden [tokens][hidden_dim] -> embedding [embedding_dim], not normalised. The first `skipped` tokens do
  // not count.
  void Embed(const float* hidden, int32_t tokens, int32_t skipped, float* embedding,
             Workspace& workspace) const;

 private:
  SentenceModules() = default;
  absl::Status LoadModule(const std::filesystem::path& dir, const std::string& type, const std::string& path);
  absl::Status LoadPooling(const std::filesystem::path& dir);
  absl::Status LoadDense(const std::filesystem::path& dir);
  absl::Status LoadNormalize(const std::filesystem::path& dir, const std::string& path);
  absl::Status LoadLimits(const std::filesystem::path& dir);
  absl::Status LoadPrompts(const std::filesystem::path& dir);

  int32_t hidden_dim_ = 0;
  int32_t embedding_dim_ = 0;  // After what is loaded so far.
  std::vector<Pooling> pooling_;
  std::vector<Linear> dense_;
  bool is_of_sentence_transformers_ = false;
  bool normalizes_ = false;
  bool lowercases_ = false;
  bool pools_prompt_ = true;
  int32_t max_tokens_ = 0;
  std::map<std::string, std::string> prompts_;
  std::string default_prompt_;
};

// embedding /= its length; a zero vector stays.
void NormalizeLength(absl::Span<float> embedding);

}  // namespace attendant
