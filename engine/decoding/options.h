#pragma once

#include <cstdint>
#include <vector>

namespace attendant {

// When a beam search stops, as `transformers` early_stopping says it.
enum class EarlyStopping {
  kHeuristic,  // false: when no running beam can be better than the worst finished one, by its score so far.
  kAtBeams,    // true: as soon as beam_size hypotheses are finished.
  kNever,      // "never": when no running beam can ever be better, however it goes on.
};

// How one request is decoded. The meaning is CTranslate2's where it has the option, and `transformers` decides how ties, order of
// rules and normalisation go. Value type. Check() in rules.h says what is out of range.
struct DecodingOptions {
  // Search.
  int32_t beam_size = 1;               // 1: greedy (or sampling). 1 to 32.
  int32_t num_hypotheses = 1;          // Returned, best first. 1 to beam_size (sampling: independent samples).
  float patience = 0;                  // Stop at round(beam_size * patience) finished hypotheses; 0: as early_stopping says.
  EarlyStopping early_stopping = EarlyStopping::kHeuristic;
  float length_penalty = 1;            // score = sum of log p / length^length_penalty.
  float coverage_penalty = 0;          // Adds coverage_penalty * sum over source of log(min(attention, 1)). 0: off.
  std::vector<int32_t> target_prefix;  // Forced first tokens; part of the answer.

  // Constraints.
  float repetition_penalty = 1;        // > 1 makes tokens that are already there less likely. 1: off.
  int32_t no_repeat_ngram_size = 0;    // 0: off.
  int32_t min_length = 0;              // Tokens before an end token is allowed, prefix included, end token not.
  int32_t max_length = 256;            // Tokens at most, prefix and end token included.
  bool force_end_at_max_length = true;                 // The token at max_length is the end token (forced_eos_token_id).
  std::vector<std::vector<int32_t>> suppress_sequences;  // Never produced (bad_words_ids).
  bool disable_unk = false;            // Never produce unk_token.
  int32_t unk_token = -1;              // -1: the model has none.
  std::vector<int32_t> end_tokens;     // At least one.
  int32_t start_token = 0;             // Fed first; not part of the answer.

  // Sampling, with beam_size 1 only.
  bool sample = false;
  float temperature = 1;               // > 0.
  int32_t top_k = 0;                   // Sample among the k most likely; 0: all.
  float top_p = 1;                     // ... and among the fewest whose probability sums to top_p. (0, 1].
  uint64_t seed = 0;                   // The same request with the same seed gives the same answer, whatever else runs.

  // A guard against runaway repetition: a hypothesis whose last `repetition_guard_tokens` tokens are one cycle of at most a quarter of
  // that many, over and over, ends there, cut back to one cycle, with finish reason kRepetition. 0: off.
  int32_t repetition_guard_tokens = 64;

  // What to report.
  bool return_attention = false;
};

}  // namespace attendant
