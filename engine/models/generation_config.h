#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace attendant {

// Token ids with a role. -1, or empty: the model has none.
struct SpecialTokens {
  int32_t pad = -1;
  int32_t bos = -1;
  std::vector<int32_t> eos;
  int32_t decoder_start = -1;
  std::vector<int32_t> forced_eos;  // The last token when the length limit is reached.
};

// How a model's makers want it decoded: generation_config.json of Hugging Face `transformers`, whose defaults
// these are (GenerationConfig._get_default_generation_params, 5.12). Lengths count as they do there: with the
// start token.
struct GenerationConfig {
  // early_stopping: false, true, "never".
  enum class StopRule { kHeuristic, kAtBeams, kNever };

  std::optional<int32_t> max_length;
  std::optional<int32_t> max_new_tokens;
  int32_t min_length = 0;
  int32_t min_new_tokens = 0;
  int32_t num_beams = 1;
  int32_t num_return_sequences = 1;  // At most num_beams, unless do_sample.
  float length_penalty = 1;
  StopRule early_stopping = StopRule::kHeuristic;
  float repetition_penalty = 1;
  int32_t no_repeat_ngram_size = 0;
  std::vector<std::vector<int32_t>>
      bad_words_ids;  // Without those that are one end token: `transformers` drops them.
  std::vector<int32_t> suppress_tokens;
  bool renormalize_logits = false;
  int32_t forced_bos = -1;  // The first token after the start token.
  SpecialTokens tokens;
  bool do_sample = false;
  float temperature = 1;
  int32_t top_k = 50;  // 0: all.
  float top_p = 1;

  // Keys that are set to something that would change the output, and that nothing here follows; ascending.
  // For the log.
  std::vector<std::string> ignored_keys;

  // The limits in generated tokens, the start token not counted, the end token counted; max_new_tokens goes
  // before max_length.
  std::optional<int32_t> MaxGeneratedTokens() const;
  // Tokens, the start token not counted, before an end token may come.
  int32_t MinTokensBeforeEnd() const;
};

// What a parser needs to know of the model.
struct GenerationContext {
  int32_t vocab_size = 0;      // Of the decoder: every id is below it.
  SpecialTokens model_tokens;  // From config.json.
};

// Parses generation_config.json. Roles that it does not name come from context.model_tokens, but for
// forced_eos, which is then off, as in `transformers`. Errors: DATA_LOSS "SOURCE: key: what is wrong".
absl::StatusOr<GenerationConfig> ParseGenerationConfig(std::string_view text, std::string_view source,
                                                       const GenerationContext& context);

// Parses the generation keys that old models have in config.json; every other key there is left alone. Errors
// as above.
absl::StatusOr<GenerationConfig> ParseLegacyGenerationConfig(std::string_view text, std::string_view source,
                                                             const GenerationContext& context);

// Reads DIR/generation_config.json or, when there is none, DIR/config.json.
absl::StatusOr<GenerationConfig> LoadGenerationConfig(const std::string& dir,
                                                      const GenerationContext& context);

}  // namespace attendant
