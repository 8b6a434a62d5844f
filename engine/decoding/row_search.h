#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/decoding/path.h"
#include "engine/decoding/rules.h"
#include "engine/decoding/search.h"

namespace attendant {

// A token taken, and its log p under the logits after the rules.
struct Choice {
  int32_t token = 0;
  float log_prob = 0;
};

// How one row's next token is taken from the answer: greedy.h and sampling.h. Not thread-safe.
class TokenChooser {
 public:
  struct Place {
    int32_t sample = 0;    // Which of the request's samples.
    int32_t position = 0;  // Of the token in the answer, from 0.
  };

  virtual ~TokenChooser() = default;
  // Fills top_k, held_out and wants_all_logits for a token that is not forced.
  virtual void Ask(const RowConstraint& constraint, RowQuery& query) const = 0;
  // Takes a token that the constraint allows. Where there is none, token is -1.
  virtual Choice Choose(const RowConstraint& constraint, const RowAnswer& answer, Place place) = 0;
};

// The log of the normaliser of a row's logits after the rules, from what a query held out.
float ProcessedLogSumExp(const Rules& rules, const RowConstraint& constraint, const RowAnswer& answer);

// A search whose rows know nothing of each other: greedy (one row) and sampling (num_hypotheses rows, one
// until the prefix is fed and the first token drawn from the one answer).
class RowSearch : public Search {
 public:
  // options have passed Check. rules are shared with the chooser.
  RowSearch(const DecodingOptions& options, std::shared_ptr<const Rules> rules,
            std::unique_ptr<TokenChooser> chooser);

  int num_rows() const override { return static_cast<int>(rows_.size()); }
  void Ask(absl::Span<RowQuery> queries) override;
  absl::Span<const int32_t> Advance(absl::Span<const RowAnswer> answers) override;
  std::vector<Hypothesis> TakeHypotheses() override { return std::move(hypotheses_); }
  absl::Span<const int32_t> certain_tokens() const override;

 private:
  struct Row {
    Path path;
    RowConstraint constraint;
    int32_t sample = 0;
  };

  Choice Choose(const Row& row, const RowAnswer& answer);
  // Appends the next token to row, and puts row where it belongs: among the next rows or the ended.
  void Extend(Row row, const RowAnswer& answer, int32_t parent, int32_t attention_row);
  void Finish();

  const DecodingOptions options_;
  const std::shared_ptr<const Rules> rules_;
  const std::unique_ptr<TokenChooser> chooser_;
  const PathEnds ends_;
  AttentionLog attention_;
  std::vector<Row> rows_;
  std::vector<Row> next_rows_;
  std::vector<int32_t> parents_;
  std::vector<EndedPath> ended_;
  std::vector<Hypothesis> hypotheses_;
  std::vector<int32_t> best_tokens_;
};

}  // namespace attendant
