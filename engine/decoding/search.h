#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/decoding/options.h"
#include "engine/models/seq2seq.h"

namespace attendant {

enum class FinishReason { kEndToken, kMaxLength, kRepetition };

// One finished answer.
struct Hypothesis {
  std::vector<int32_t> tokens;  // Without start and end token.
  // Of tokens, then of the end token if finish_reason is kEndToken, each on this hypothesis' own path.
  // Greedy and sampling: log softmax of the logits after the rules, before temperature, top-k and top-p.
  // Beams: the rules' work on the log softmax of the logits. Tokens of the prefix: the model's own.
  std::vector<float> token_log_probs;
  float score = 0;          // Normalised as the options say.
  float sum_log_probs = 0;  // Of token_log_probs after the prefix.
  FinishReason finish_reason = FinishReason::kEndToken;
  std::vector<std::vector<float>> attention;  // [tokens][source length] if asked for.
};

// The search of one request as a state machine: it says what its rows want from the next decode step, and
// turns the answers into the rows of the step after. It knows nothing of models, caches or other requests.
//
//   while (!search->finished()) {
//     search->Ask(queries);               // num_rows() of them
//     ... the model's Step ...
//     parents = search->Advance(answers); // new row i continues old row parents[i]
//   }
//   result = search->TakeHypotheses();
//
// Deterministic: the same options and answers give the same result, whatever else runs. Not thread-safe.
// Answers must be finite: the caller fails a request whose log_sum_exp is not. A logit of -inf is a token
// that cannot be. Where the rules leave a row no token at all, it ends with end_tokens[0] at log p = 0.
class Search {
 public:
  virtual ~Search() = default;

  bool finished() const { return num_rows() == 0; }
  // Rows of the next step; 1 at first, at most beam_size (num_hypotheses when sampling). 0 when finished.
  virtual int num_rows() const = 0;
  // Fills token, position, top_k, held_out, wants_* of each row; leaves the tables alone. queries.size() ==
  // num_rows(). The spans in queries stay valid until Advance.
  virtual void Ask(absl::Span<RowQuery> queries) = 0;
  // Takes the answers to Ask. Returns, for each row of the next step, the row of this step that it continues
  // (empty when finished); valid until the next call.
  virtual absl::Span<const int32_t> Advance(absl::Span<const RowAnswer> answers) = 0;
  // The hypotheses, best score first (those that the repetition guard ended behind the others), 1 to
  // num_hypotheses of them: fewer than asked for only where no more exist (a vocabulary smaller than the
  // beam, max_length 1). Call once, when finished.
  virtual std::vector<Hypothesis> TakeHypotheses() = 0;
  // Tokens that are certain to be the beginning of the best answer; valid until the next call. Greedy and
  // single samples: all so far, but for the second and later turns of what may become a cycle, which the
  // repetition guard would cut. Beams and several samples: only when finished.
  virtual absl::Span<const int32_t> certain_tokens() const = 0;
};

// vocab_size: of the answers to come. Errors: INVALID_ARGUMENT names the option that is out of range or
// contradicts another.
absl::StatusOr<std::unique_ptr<Search>> CreateSearch(const DecodingOptions& options, int32_t vocab_size);

}  // namespace attendant
