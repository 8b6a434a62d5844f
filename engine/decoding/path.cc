#include "engine/decoding/path.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace attendant {
namespace {

float CoveragePenalty(const std::vector<std::vector<float>>& attention, float weight) {
  if (attention.empty()) return 0;
  float penalty = 0;
  for (size_t source = 0; source < attention.front().size(); ++source) {
    float covered = 0;
    for (const std::vector<float>& row : attention) covered += row[source];
    if (covered > 0) penalty += std::log(std::min(covered, 1.f));
  }
  return weight * penalty;
}

Hypothesis ToHypothesis(EndedPath ended, const AttentionLog& attention) {
  Path& path = ended.path;
  Hypothesis hypothesis;
  const size_t end_tokens = ended.reason == FinishReason::kEndToken ? 1 : 0;
  hypothesis.tokens.assign(path.tokens.begin() + 1, path.tokens.end() - static_cast<ptrdiff_t>(end_tokens));
  hypothesis.token_log_probs = std::move(path.log_probs);
  hypothesis.score = ended.score;
  hypothesis.sum_log_probs = path.sum;
  hypothesis.finish_reason = ended.reason;
  if (!path.attention_rows.empty()) {
    for (size_t i = 0; i < hypothesis.tokens.size(); ++i) {
      const absl::Span<const float> row = attention.Row(path.attention_rows[i]);
      hypothesis.attention.emplace_back(row.begin(), row.end());
    }
  }
  return hypothesis;
}

}  // namespace

int32_t AttentionLog::Append(absl::Span<const float> row) {
  row_length_ = row.size();
  values_.insert(values_.end(), row.begin(), row.end());
  return num_rows_++;
}

absl::Span<const float> AttentionLog::Row(int32_t number) const {
  return absl::MakeConstSpan(values_).subspan(static_cast<size_t>(number) * row_length_, row_length_);
}

PathEnds::PathEnds(const DecodingOptions& options)
    : end_tokens_(options.end_tokens),
      max_length_(static_cast<size_t>(options.max_length)),
      prefix_length_(options.target_prefix.size()),
      length_penalty_(options.length_penalty),
      guard_(options.repetition_guard_tokens) {}

bool PathEnds::IsEndToken(int32_t token) const {
  return std::find(end_tokens_.begin(), end_tokens_.end(), token) != end_tokens_.end();
}

absl::Span<const int32_t> PathEnds::AfterPrefix(const Path& path) const {
  const absl::Span<const int32_t> tokens = path.tokens;
  return tokens.subspan(std::min(tokens.size(), 1 + prefix_length_));
}

bool PathEnds::Ends(Path& path, FinishReason* reason) const {
  if (path.log_probs.size() <= prefix_length_) return false;
  if (IsEndToken(path.tokens.back())) {
    *reason = FinishReason::kEndToken;
    return true;
  }
  if (const std::optional<size_t> keep = guard_.CutAt(AfterPrefix(path))) {
    const size_t length = prefix_length_ + *keep;
    path.tokens.resize(length + 1);
    path.log_probs.resize(length);
    if (!path.attention_rows.empty()) path.attention_rows.resize(length);
    path.sum = 0;
    for (size_t i = prefix_length_; i < length; ++i) path.sum += path.log_probs[i];
    *reason = FinishReason::kRepetition;
    return true;
  }
  *reason = FinishReason::kMaxLength;
  return path.log_probs.size() >= max_length_;
}

float PathEnds::Score(float sum, size_t length) const {
  return sum /
         static_cast<float>(std::pow(static_cast<double>(length), static_cast<double>(length_penalty_)));
}

bool RanksBefore(FinishReason a_reason, float a_score, FinishReason b_reason, float b_score) {
  const bool a_repeats = a_reason == FinishReason::kRepetition;
  const bool b_repeats = b_reason == FinishReason::kRepetition;
  return a_repeats != b_repeats ? b_repeats : a_score > b_score;
}

std::vector<Hypothesis> RankHypotheses(const DecodingOptions& options, std::vector<EndedPath> ended,
                                       const AttentionLog& attention) {
  std::vector<Hypothesis> hypotheses;
  hypotheses.reserve(ended.size());
  for (EndedPath& path : ended) {
    hypotheses.push_back(ToHypothesis(std::move(path), attention));
    Hypothesis& hypothesis = hypotheses.back();
    if (options.coverage_penalty != 0) {
      hypothesis.score += CoveragePenalty(hypothesis.attention, options.coverage_penalty);
    }
    if (!options.return_attention) hypothesis.attention.clear();
  }
  std::stable_sort(hypotheses.begin(), hypotheses.end(), [](const Hypothesis& a, const Hypothesis& b) {
    return RanksBefore(a.finish_reason, a.score, b.finish_reason, b.score);
  });
  if (hypotheses.size() > static_cast<size_t>(options.num_hypotheses)) {
    hypotheses.resize(static_cast<size_t>(options.num_hypotheses));
  }
  return hypotheses;
}

}  // namespace attendant
