#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace attendant {

// When a beam search stops, as `transformers` early_stopping says it.
enum class EarlyStopping {
  kHeuristic,  // false: when no running beam can be better than the worst finished one, by its score so far.
  kAtBeams,    // true: as soon as beam_size hypotheses are finished.
  kNever,      // "never": when no running beam can ever be better, however it goes on.
};

// How one request is decoded. The meaning is CTranslate2's where it has the option, and `transformers`
// decides how ties, order of rules and normalisation go. Value type. Check below says what is out of range.
// Lengths count answer tokens: never the start token, always the prefix. From a `transformers`
// GenerationConfig, which counts the start token too: max_length is its max_length - 1, or prefix +
// max_new_tokens where it has that; min_length its min_length - 1 (not below 0), or prefix + min_new_tokens.
struct DecodingOptions {
  // Search.
  int32_t beam_size = 1;       // 1: greedy (or sampling). 1 to 32.
  int32_t num_hypotheses = 1;  // Returned, best first. 1 to beam_size (sampling: independent samples).
  // Stop at round(beam_size * patience) finished hypotheses, whatever early_stopping says. 0: off.
  float patience = 0;
  EarlyStopping early_stopping = EarlyStopping::kHeuristic;
  // score = sum of log p / length^length_penalty over the tokens after the prefix, end token included: as
  // `transformers` has it. (CTranslate2 leaves log p of the prefix out too, but counts its tokens.)
  float length_penalty = 1;
  // Adds coverage_penalty * sum over source of log(min(attention summed over the answer's tokens, 1)) to the
  // final score: it ranks what the search has found. 0: off. Wu et al. 2016, section 7; source tokens without
  // any attention do not count, as in CTranslate2.
  float coverage_penalty = 0;
  std::vector<int32_t> target_prefix;  // Forced first tokens; part of the answer. Fewer than max_length.

  // Constraints.
  float repetition_penalty = 1;      // > 1 makes tokens already there, start token too, less likely. 1: off.
  int32_t no_repeat_ngram_size = 0;  // 0: off.
  int32_t min_length = 0;            // Tokens before an end token is allowed, prefix included, end token not.
  int32_t max_length = 256;          // Tokens at most, prefix and end token included.
  // The token at max_length is end_tokens[0] at log p = 0 (forced_eos_token_id), whatever the other rules
  // say.
  bool force_end_at_max_length = true;
  // Never produced (bad_words_ids); an end token alone among them is ignored.
  std::vector<std::vector<int32_t>> suppress_sequences;
  bool disable_unk = false;         // Never produce unk_token.
  int32_t unk_token = -1;           // -1: the model has none.
  std::vector<int32_t> end_tokens;  // At least one.
  int32_t start_token = 0;          // Fed first; not part of the answer.

  // Sampling, with beam_size 1 only.
  bool sample = false;
  float temperature = 1;  // > 0.
  int32_t top_k = 0;      // Sample among the k most likely; 0: all.
  float top_p = 1;        // ... and among the fewest whose probability sums to top_p. (0, 1].
  uint64_t seed = 0;      // The same request with the same seed gives the same answer, whatever else runs.

  // A guard against runaway repetition: a hypothesis whose last `repetition_guard_tokens` tokens are one
  // cycle of at most a quarter of that many, over and over, ends there, cut back to one cycle, with finish
  // reason kRepetition. The prefix is no part of a cycle. Such a hypothesis ranks behind all that ended
  // otherwise: a loop is likely in the model's eyes, not in the reader's. 0: off, else at least 4.
  int32_t repetition_guard_tokens = 64;

  // What to report.
  bool return_attention = false;
};

// INVALID_ARGUMENT names the option that is out of range or contradicts another. vocab_size: of the model.
absl::Status Check(const DecodingOptions& options, int32_t vocab_size);

}  // namespace attendant
