#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "engine/decoding/options.h"
#include "engine/models/seq2seq.h"

namespace attendant {

// What the rules want of one row's next token: a forced token, or tokens that are banned and tokens whose
// score is penalised. The model answers the logits of exactly these apart (RowQuery::held_out), so no rule
// ever needs the whole vocabulary.
class RowConstraint {
 public:
  enum class Force {
    kNone,
    kPrefix,  // The next token of target_prefix; its log p is the model's.
    kEnd,     // The end token at max_length; its log p is 0, as ForcedEOSTokenLogitsProcessor has it.
  };

  void Clear();
  void Ban(int32_t token) { marks_.push_back(2 * token); }
  void Penalise(int32_t token) { marks_.push_back(2 * token + 1); }
  void ForceToken(int32_t token, Force kind);
  // Sorts what was contributed; a ban beats a penalty. Call before the readers below.
  void Seal();

  Force force() const { return force_; }
  // Ascending, unique; the forced token alone where there is one. Valid until Clear.
  absl::Span<const int32_t> held_out() const { return held_out_; }
  // Of held_out()[i]. A token that is held out and not banned is penalised (or forced).
  bool banned(size_t i) const { return banned_[i] != 0; }

 private:
  Force force_ = Force::kNone;
  std::vector<int32_t> marks_;  // 2 * token, + 1 if only penalised.
  std::vector<int32_t> held_out_;
  std::vector<uint8_t> banned_;
};

// One rule on logits, in the form that `transformers` calls a LogitsProcessor. Immutable.
class LogitsRule {
 public:
  virtual ~LogitsRule() = default;
  // history: the start token and what was produced since. Adds what must not or should less likely come next.
  virtual void Contribute(absl::Span<const int32_t> history, RowConstraint& constraint) const = 0;
};

// The rules of one request, in the order of `transformers`' _get_logits_processor. Immutable: thread-safe.
class Rules {
 public:
  // options have passed Check.
  explicit Rules(const DecodingOptions& options);

  // history as in LogitsRule; constraint comes back sealed.
  void Constrain(absl::Span<const int32_t> history, RowConstraint& constraint) const;
  // The score of a held out token that is not banned (RepetitionPenaltyLogitsProcessor). Of a logit (greedy,
  // sampling) or a log p (beams).
  float Penalised(float score) const { return score < 0 ? score * penalty_ : score / penalty_; }

 private:
  float penalty_;
  int32_t end_token_;
  size_t forced_end_position_;  // Of the token at max_length, or none.
  std::vector<int32_t> prefix_;
  std::vector<std::unique_ptr<const LogitsRule>> rules_;
};

}  // namespace attendant
