#include "engine/decoding/beam_search.h"

#include <algorithm>
#include <cmath>

namespace attendant {
namespace {

size_t MaxEnded(const DecodingOptions& options) {
  const auto beams = static_cast<float>(options.beam_size);
  return static_cast<size_t>(options.patience > 0 ? std::lround(beams * options.patience)
                                                  : options.beam_size);
}

}  // namespace

BeamSearch::BeamSearch(const DecodingOptions& options, int32_t vocab_size)
    : options_(options),
      rules_(options),
      ends_(options),
      beam_size_(static_cast<size_t>(options.beam_size)),
      num_candidates_((1 + options.end_tokens.size()) * beam_size_),
      max_ended_(MaxEnded(options)),
      vocab_size_(vocab_size),
      running_(beam_size_ + 1),
      next_(beam_size_ + 1),  // One more for a candidate that ends when all beams are placed.
      constraints_(beam_size_),
      attention_rows_(beam_size_) {
  running_.front().tokens = {options.start_token};
}

void BeamSearch::Ask(absl::Span<RowQuery> queries) {
  for (size_t i = 0; i < num_running_; ++i) {
    const std::vector<int32_t>& tokens = running_[i].tokens;
    RowConstraint& constraint = constraints_[i];
    rules_.Constrain(tokens, constraint);
    const bool forced = constraint.force() != RowConstraint::Force::kNone;
    RowQuery& query = queries[i];
    query.token = tokens.back();
    query.position = static_cast<int32_t>(tokens.size()) - 1;
    query.top_k = forced ? 0 : std::min(static_cast<int32_t>(num_candidates_), vocab_size_);
    query.held_out = constraint.held_out();
    query.wants_all_logits = false;
    query.wants_attention = WantsAttention(options_);
  }
}

void BeamSearch::CollectCandidates(int32_t beam, const RowAnswer& answer) {
  const auto row = static_cast<size_t>(beam);
  const RowConstraint& constraint = constraints_[row];
  const absl::Span<const int32_t> held_out = constraint.held_out();
  const float sum = running_[row].sum;
  if (constraint.force() == RowConstraint::Force::kPrefix) {
    candidates_.push_back({sum, beam, held_out[0], answer.held_out[0] - answer.log_sum_exp});
    return;
  }
  const size_t before = candidates_.size();
  const auto add = [&](int32_t token, float log_prob) {
    if (log_prob > -INFINITY) candidates_.push_back({sum + log_prob, beam, token, log_prob});
  };
  if (constraint.force() == RowConstraint::Force::kNone) {
    for (const TokenScore& top : answer.top) add(top.token, top.score - answer.log_sum_exp);
    for (size_t i = 0; i < answer.held_out.size(); ++i) {
      if (!constraint.banned(i)) add(held_out[i], rules_.Penalised(answer.held_out[i] - answer.log_sum_exp));
    }
  }
  if (candidates_.size() == before)
    add(options_.end_tokens.front(), 0.f);  // Forced, or nothing else is left.
}

void BeamSearch::SortBestCandidates() {
  const size_t keep = std::min(num_candidates_, candidates_.size());
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.sum != b.sum) return a.sum > b.sum;
    return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
  };
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(keep),
                    candidates_.end(), better);
  candidates_.resize(keep);
}

Path& BeamSearch::Materialise(const Candidate& candidate) {
  const auto beam = static_cast<size_t>(candidate.beam);
  Path& path = next_[num_next_];
  path = running_[beam];
  path.tokens.push_back(candidate.token);
  path.log_probs.push_back(candidate.log_prob);
  if (WantsAttention(options_)) path.attention_rows.push_back(attention_rows_[beam]);
  path.sum = candidate.sum;
  return path;
}

void BeamSearch::AddEnded(Path&& path, FinishReason reason) {
  const float score = ends_.Score(path);
  const auto place = std::find_if(ended_.begin(), ended_.end(), [&](const EndedPath& other) {
    return RanksBefore(reason, score, other.reason, other.score);
  });
  if (place == ended_.end() && ended_.size() == max_ended_) return;
  ended_.insert(place, {std::move(path), reason, score});
  if (ended_.size() > max_ended_) ended_.pop_back();
}

void BeamSearch::Place(const Candidate& candidate, size_t rank) {
  const bool may_end = rank < beam_size_;
  const bool may_run = num_next_ < beam_size_ && !ends_.IsEndToken(candidate.token);
  if (!may_end && !may_run) return;
  Path& path = Materialise(candidate);
  FinishReason reason;
  if (ends_.Ends(path, &reason)) {
    if (may_end) AddEnded(std::move(path), reason);
  } else if (may_run) {
    parents_.push_back(candidate.beam);
    ++num_next_;
  }
}

absl::Span<const int32_t> BeamSearch::Advance(absl::Span<const RowAnswer> answers) {
  candidates_.clear();
  for (size_t i = 0; i < num_running_; ++i) {
    if (WantsAttention(options_)) attention_rows_[i] = attention_.Append(answers[i].attention);
    CollectCandidates(static_cast<int32_t>(i), answers[i]);
  }
  SortBestCandidates();
  num_next_ = 0;
  parents_.clear();
  for (size_t rank = 0; rank < candidates_.size(); ++rank) Place(candidates_[rank], rank);
  running_.swap(next_);
  num_running_ = num_next_;
  if (ShouldStop()) Finish();
  return parents_;
}

// _beam_search_has_unfinished_sequences and _check_early_stop_heuristic; with patience, CTranslate2's rule.
bool BeamSearch::ShouldStop() const {
  if (num_running_ == 0) return true;
  if (ended_.size() < max_ended_) return false;
  if (options_.patience > 0 || options_.early_stopping == EarlyStopping::kAtBeams) return true;
  const Path& best = running_.front();
  const bool to_the_end = options_.early_stopping == EarlyStopping::kNever && options_.length_penalty > 0;
  const size_t length =
      to_the_end ? static_cast<size_t>(options_.max_length) - ends_.prefix_length() : ends_.Length(best);
  return !(ends_.Score(best.sum, length) > ended_.back().score);
}

void BeamSearch::Finish() {
  num_running_ = 0;
  parents_.clear();
  hypotheses_ = RankHypotheses(options_, std::move(ended_), attention_);
  best_tokens_ = hypotheses_.front().tokens;
}

}  // namespace attendant
