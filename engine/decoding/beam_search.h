#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/decoding/path.h"
#include "engine/decoding/rules.h"
#include "engine/decoding/search.h"

namespace attendant {

// Beam search as `transformers` 5 does it (GenerationMixin._beam_search), for one source sequence: rules on
// log p, the best (1 + number of end tokens) * beam_size continuations of all beams, ends only among the best
// beam_size of them, the same stopping rules, in f32 as there. Equal scores: the lower beam, then the lower
// token. The one row of the first step stands for all beams, which are equal there.
class BeamSearch : public Search {
 public:
  // options have passed Check.
  BeamSearch(const DecodingOptions& options, int32_t vocab_size);

  int num_rows() const override { return static_cast<int>(num_running_); }
  void Ask(absl::Span<RowQuery> queries) override;
  absl::Span<const int32_t> Advance(absl::Span<const RowAnswer> answers) override;
  std::vector<Hypothesis> TakeHypotheses() override { return std::move(hypotheses_); }
  absl::Span<const int32_t> certain_tokens() const override { return best_tokens_; }

 private:
  // A beam and one token more.
  struct Candidate {
    float sum;  // The path's with this token.
    int32_t beam;
    int32_t token;
    float log_prob;
  };

  void CollectCandidates(int32_t beam, const RowAnswer& answer);
  void SortBestCandidates();
  // Makes candidate a path in next_[num_next_], which the caller may keep or take.
  Path& Materialise(const Candidate& candidate);
  // Where rank is the candidate's among all: keeps it as running or ended, or drops it.
  void Place(const Candidate& candidate, size_t rank);
  void AddEnded(Path&& path, FinishReason reason);
  bool ShouldStop() const;
  void Finish();

  const DecodingOptions options_;
  const Rules rules_;
  const PathEnds ends_;
  const size_t beam_size_;
  const size_t num_candidates_;  // Kept of each step.
  const size_t max_ended_;
  const int32_t vocab_size_;

  size_t num_running_ = 1;
  size_t num_next_ = 0;
  std::vector<Path> running_;  // The first num_running_ are live, best first; the rest keep their memory.
  std::vector<Path> next_;
  std::vector<RowConstraint> constraints_;
  std::vector<int32_t> attention_rows_;  // Of this step's rows.
  std::vector<Candidate> candidates_;
  std::vector<int32_t> parents_;
  std::vector<EndedPath> ended_;  // Best first, at most max_ended_.
  AttentionLog attention_;
  std::vector<Hypothesis> hypotheses_;
  std::vector<int32_t> best_tokens_;
};

}  // namespace attendant
