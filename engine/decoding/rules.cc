#include "engine/decoding/rules.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace attendant {
namespace {

using History = absl::Span<const int32_t>;

// RepetitionPenaltyLogitsProcessor: every token that is there already, the start token too.
class RepetitionPenalty : public LogitsRule {
 public:
  void Contribute(History history, RowConstraint& constraint) const override {
    for (const int32_t token : history) constraint.Penalise(token);
  }
};

// NoRepeatNGramLogitsProcessor: no n-gram twice.
class NoRepeatNgram : public LogitsRule {
 public:
  explicit NoRepeatNgram(int32_t size) : context_(static_cast<size_t>(size) - 1) {}
  void Contribute(History history, RowConstraint& constraint) const override {
    if (history.size() < context_) return;
    const History last = history.last(context_);
    for (size_t i = 0; i + context_ < history.size(); ++i) {
      if (history.subspan(i, context_) == last) constraint.Ban(history[i + context_]);
    }
  }

 private:
  size_t context_;  // n - 1.
};

// NoBadWordsLogitsProcessor, with its habit that a sequence counts only from a history of its own length on.
class SuppressSequences : public LogitsRule {
 public:
  SuppressSequences(std::vector<std::vector<int32_t>> sequences, const std::vector<int32_t>& end_tokens)
      : sequences_(std::move(sequences)) {
    std::erase_if(sequences_, [&](const std::vector<int32_t>& sequence) {
      return sequence.size() == 1 &&
             std::find(end_tokens.begin(), end_tokens.end(), sequence[0]) != end_tokens.end();
    });
  }
  void Contribute(History history, RowConstraint& constraint) const override {
    for (const std::vector<int32_t>& sequence : sequences_) {
      const History context = History(sequence).first(sequence.size() - 1);
      const bool applies =
          context.empty() || (sequence.size() <= history.size() && history.last(context.size()) == context);
      if (applies) constraint.Ban(sequence.back());
    }
  }

 private:
  std::vector<std::vector<int32_t>> sequences_;
};

// MinLengthLogitsProcessor, in the length that DecodingOptions counts.
class MinLength : public LogitsRule {
 public:
  MinLength(int32_t min_length, std::vector<int32_t> end_tokens)
      : min_length_(static_cast<size_t>(min_length)), end_tokens_(std::move(end_tokens)) {}
  void Contribute(History history, RowConstraint& constraint) const override {
    if (history.size() - 1 >= min_length_) return;
    for (const int32_t token : end_tokens_) constraint.Ban(token);
  }

 private:
  size_t min_length_;
  std::vector<int32_t> end_tokens_;
};

// SuppressTokensLogitsProcessor, of one token.
class DisableToken : public LogitsRule {
 public:
  explicit DisableToken(int32_t token) : token_(token) {}
  void Contribute(History, RowConstraint& constraint) const override { constraint.Ban(token_); }

 private:
  int32_t token_;
};

}  // namespace

void RowConstraint::Clear() {
  force_ = Force::kNone;
  marks_.clear();
  held_out_.clear();
  banned_.clear();
}

void RowConstraint::ForceToken(int32_t token, Force kind) {
  Clear();
  Penalise(token);
  force_ = kind;
}

void RowConstraint::Seal() {
  std::sort(marks_.begin(), marks_.end());
  for (const int32_t mark : marks_) {
    if (!held_out_.empty() && held_out_.back() == mark / 2) continue;
    held_out_.push_back(mark / 2);
    banned_.push_back(mark % 2 == 0 ? 1 : 0);
  }
}

Rules::Rules(const DecodingOptions& options)
    : penalty_(options.repetition_penalty),
      end_token_(options.end_tokens.front()),
      forced_end_position_(options.force_end_at_max_length ? static_cast<size_t>(options.max_length) - 1
                                                           : std::numeric_limits<size_t>::max()),
      prefix_(options.target_prefix) {
  const auto add = [this](auto rule) { rules_.push_back(std::move(rule)); };
  if (options.repetition_penalty != 1) add(std::make_unique<RepetitionPenalty>());
  if (options.no_repeat_ngram_size > 0) add(std::make_unique<NoRepeatNgram>(options.no_repeat_ngram_size));
  if (!options.suppress_sequences.empty()) {
    add(std::make_unique<SuppressSequences>(options.suppress_sequences, options.end_tokens));
  }
  if (options.min_length > 0) add(std::make_unique<MinLength>(options.min_length, options.end_tokens));
  if (options.disable_unk && options.unk_token >= 0) add(std::make_unique<DisableToken>(options.unk_token));
}

void Rules::Constrain(History history, RowConstraint& constraint) const {
  constraint.Clear();
  const size_t position = history.size() - 1;
  if (position < prefix_.size()) {
    constraint.ForceToken(prefix_[position], RowConstraint::Force::kPrefix);
  } else if (position == forced_end_position_) {
    constraint.ForceToken(end_token_, RowConstraint::Force::kEnd);
  } else {
    for (const auto& rule : rules_) rule->Contribute(history, constraint);
  }
  constraint.Seal();
}

}  // namespace attendant
