#include "engine/decoding/row_search.h"

#include <cmath>
#include <utility>

namespace attendant {
// Summed anew from what is left after the rules: subtracting what is held out from the sum of all would lose
// everything to cancellation where nearly all probability is held out.
float ProcessedLogSumExp(const Rules& rules, const RowConstraint& constraint, const RowAnswer& answer) {
  double max = answer.log_sum_exp_rest;
  for (size_t i = 0; i < answer.held_out.size(); ++i) {
    if (!constraint.banned(i)) max = std::max<double>(max, rules.Penalised(answer.held_out[i]));
  }
  double sum = std::exp(answer.log_sum_exp_rest - max);
  for (size_t i = 0; i < answer.held_out.size(); ++i) {
    if (!constraint.banned(i)) sum += std::exp(rules.Penalised(answer.held_out[i]) - max);
  }
  return static_cast<float>(max + std::log(sum));
}

RowSearch::RowSearch(const DecodingOptions& options, std::shared_ptr<const Rules> rules,
                     std::unique_ptr<TokenChooser> chooser)
    : options_(options), rules_(std::move(rules)), chooser_(std::move(chooser)), ends_(options) {
  rows_.emplace_back();
  rows_.front().path.tokens = {options.start_token};
}

void RowSearch::Ask(absl::Span<RowQuery> queries) {
  for (size_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    RowQuery& query = queries[i];
    rules_->Constrain(row.path.tokens, row.constraint);
    query.token = row.path.tokens.back();
    query.position = static_cast<int32_t>(row.path.tokens.size()) - 1;
    query.top_k = 0;
    query.held_out = row.constraint.held_out();
    query.wants_all_logits = false;
    query.wants_attention = WantsAttention(options_);
    if (row.constraint.force() == RowConstraint::Force::kNone) chooser_->Ask(row.constraint, query);
  }
}

Choice RowSearch::Choose(const Row& row, const RowAnswer& answer) {
  switch (row.constraint.force()) {
    case RowConstraint::Force::kPrefix:
      return {row.constraint.held_out()[0], answer.held_out[0] - answer.log_sum_exp};
    case RowConstraint::Force::kEnd:
      return {row.constraint.held_out()[0], 0.f};
    case RowConstraint::Force::kNone:
      break;
  }
  const auto position = static_cast<int32_t>(row.path.log_probs.size());
  const Choice choice = chooser_->Choose(row.constraint, answer, {row.sample, position});
  return choice.token < 0 ? Choice{options_.end_tokens.front(), 0.f} : choice;
}

void RowSearch::Extend(Row row, const RowAnswer& answer, int32_t parent, int32_t attention_row) {
  const Choice choice = Choose(row, answer);
  Path& path = row.path;
  if (path.log_probs.size() >= ends_.prefix_length()) path.sum += choice.log_prob;
  path.tokens.push_back(choice.token);
  path.log_probs.push_back(choice.log_prob);
  if (WantsAttention(options_)) path.attention_rows.push_back(attention_row);
  FinishReason reason;
  if (ends_.Ends(path, &reason)) {
    const float score = ends_.Score(path);
    ended_.push_back({std::move(path), reason, score});
  } else {
    next_rows_.push_back(std::move(row));
    parents_.push_back(parent);
  }
}

absl::Span<const int32_t> RowSearch::Advance(absl::Span<const RowAnswer> answers) {
  next_rows_.clear();
  parents_.clear();
  for (size_t i = 0; i < rows_.size(); ++i) {
    const auto parent = static_cast<int32_t>(i);
    const int32_t attention_row = WantsAttention(options_) ? attention_.Append(answers[i].attention) : 0;
    if (rows_[i].path.log_probs.size() != ends_.prefix_length()) {
      Extend(std::move(rows_[i]), answers[i], parent, attention_row);
      continue;
    }
    // The one row of the first free token is the parent of every sample.
    for (int32_t sample = 0; sample < options_.num_hypotheses; ++sample) {
      Row copy = rows_[i];
      copy.sample = sample;
      Extend(std::move(copy), answers[i], parent, attention_row);
    }
  }
  rows_.swap(next_rows_);
  if (rows_.empty()) Finish();
  return parents_;
}

void RowSearch::Finish() {
  hypotheses_ = RankHypotheses(options_, std::move(ended_), attention_);
  best_tokens_ = hypotheses_.front().tokens;
}

absl::Span<const int32_t> RowSearch::certain_tokens() const {
  if (rows_.empty()) return best_tokens_;
  if (options_.num_hypotheses > 1) return {};
  const Path& path = rows_.front().path;
  const size_t free = ends_.guard().CertainLength(ends_.AfterPrefix(path));
  const size_t forced = std::min(path.log_probs.size(), ends_.prefix_length());
  return absl::MakeConstSpan(path.tokens).subspan(1, forced + free);
}

}  // namespace attendant
