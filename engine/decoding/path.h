#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "engine/decoding/options.h"
#include "engine/decoding/repetition_guard.h"
#include "engine/decoding/search.h"

namespace attendant {

// A hypothesis on its way: one row's tokens and what they cost.
struct Path {
  std::vector<int32_t> tokens;   // The start token, then the answer so far.
  std::vector<float> log_probs;  // Of tokens[i + 1].
  std::vector<int32_t>
      attention_rows;  // Of tokens[i + 1], in the AttentionLog; empty where attention is off.
  float sum = 0;       // Of log_probs after the prefix, added in order in f32 as the reference does.
};

// Cross-attention rows of a request, append-only, so that paths that share a past share its rows.
class AttentionLog {
 public:
  // Returns the row's number. Rows are of one length.
  int32_t Append(absl::Span<const float> row);
  absl::Span<const float> Row(int32_t number) const;

 private:
  size_t row_length_ = 0;
  int32_t num_rows_ = 0;
  std::vector<float> values_;
};

// A path that has ended.
struct EndedPath {
  Path path;
  FinishReason reason = FinishReason::kEndToken;
  float score = 0;
};

// When a path ends, and what it is worth then. Immutable: thread-safe.
class PathEnds {
 public:
  // options have passed Check.
  explicit PathEnds(const DecodingOptions& options);

  bool IsEndToken(int32_t token) const;
  // Whether the path that `token` was just appended to ends with it: on an end token, in a cycle (then the
  // path is cut back to one turn of it), or at max_length.
  bool Ends(Path& path, FinishReason* reason) const;
  // The path's score by length; length: tokens after the prefix, end token included.
  float Score(float sum, size_t length) const;
  float Score(const Path& path) const { return Score(path.sum, Length(path)); }
  size_t Length(const Path& path) const { return path.log_probs.size() - prefix_length_; }
  absl::Span<const int32_t> AfterPrefix(const Path& path) const;
  const RepetitionGuard& guard() const { return guard_; }
  size_t prefix_length() const { return prefix_length_; }

 private:
  std::vector<int32_t> end_tokens_;
  size_t max_length_;
  size_t prefix_length_;
  float length_penalty_;
  RepetitionGuard guard_;
};

// Whether hypothesis a ranks before b: those that the guard ended come last, then by score.
bool RanksBefore(FinishReason a_reason, float a_score, FinishReason b_reason, float b_score);

// The best of ended, as the request wants them: coverage penalty applied, ranked, at most num_hypotheses.
std::vector<Hypothesis> RankHypotheses(const DecodingOptions& options, std::vector<EndedPath> ended,
                                       const AttentionLog& attention);

inline bool WantsAttention(const DecodingOptions& options) {
  return options.return_attention || options.coverage_penalty != 0;
}

}  // namespace attendant
