#include "engine/decoding/row_search.h"

#include <cmath>
#include <utility>

namespace attendant {
namespace {

// log of the sum over all tokens of exp(processed logit), from every logit.
double LogSumExpOfAll(const Rules& rules, const RowConstraint& constraint, absl::Span<const float> logits) {
  const absl::Span<const int32_t> held_out = constraint.held_out();
  double max = -INFINITY;
  double sum = 0;  // Over exp(logit - max).
  size_t held = 0;
  for (size_t token = 0; token < logits.size(); ++token) {
    double logit = logits[token];
    if (held < held_out.size() && static_cast<size_t>(held_out[held]) == token) {
      if (constraint.banned(held++)) continue;
      logit = rules.Penalised(logits[token]);
    }
    if (logit > max) {
      sum = sum * std::exp(max - logit) + 1;
      max = logit;
    } else if (logit > -INFINITY) {
      sum += std::exp(logit - max);
    }
  }
  return max + std::log(sum);
}

}  // namespace

// With p the raw probabilities and p' the processed ones over the raw normaliser, the processed normaliser is
// the raw one times r = 1 - sum of p(held out) + sum of p'(penalised). log_sum_exp carries an error e of
// about its own rounding (1e-6 at most for |log_sum_exp| < 32), which is the relative error of each p. The
// first difference is then off by at most e, and log r by e / r: harmless while 1 - sum p >= 1/2, lost to
// cancellation as it nears 0. There all logits are summed instead, in double.
float ProcessedLogSumExp(const Rules& rules, const RowConstraint& constraint, const RowAnswer& answer) {
  double held = 0;
  double processed = 0;
  for (size_t i = 0; i < answer.held_out.size(); ++i) {
    held += std::exp(static_cast<double>(answer.held_out[i]) - answer.log_sum_exp);
    if (constraint.banned(i)) continue;
    processed += std::exp(static_cast<double>(rules.Penalised(answer.held_out[i])) - answer.log_sum_exp);
  }
  if (answer.held_out.empty()) return answer.log_sum_exp;
  if (held > 0.5) return static_cast<float>(LogSumExpOfAll(rules, constraint, answer.all_logits));
  return static_cast<float>(answer.log_sum_exp + std::log1p(processed - held));
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
