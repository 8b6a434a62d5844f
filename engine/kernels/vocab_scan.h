#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/types/span.h"

namespace attendant {

// A token and its raw logit (or, where said so, its score).
struct TokenScore {
  int32_t token = 0;
  float score = 0;
};

// Stands for a logit that does not count: adds nothing to a sum of exponentials, and is never among the best.
inline constexpr float kNoLogit = std::numeric_limits<float>::lowest();

// log(Σ exp(x)) of a row that comes in tiles. The result depends on the values and the tiling alone.
// Source: Milakov and Gimelshein 2018, algorithm 3.
struct RunningLogSumExp {
  float max;  // -inf before the first tile.
  float sum = 0;

  RunningLogSumExp();
  void Add(absl::Span<const float> tile);
  // NaN or infinite if the row held such; -inf if nothing in it counted.
  float Value() const;
};

// The best `capacity` scores of a row that comes in tiles, by descending score, ties by ascending token. NaN
// is never among them.
class RunningTopK {
 public:
  // storage: capacity long, borrowed.
  explicit RunningTopK(absl::Span<TokenScore> storage) : storage_(storage) {}

  // tile[i] is the score of token first_token + i; tiles come in ascending order. kNoLogit and less never
  // enter.
  void Add(absl::Span<const float> tile, int32_t first_token);
  absl::Span<const TokenScore> best() const { return storage_.subspan(0, size_); }

 private:
  void Insert(TokenScore candidate);
  float threshold() const;

  absl::Span<TokenScore> storage_;
  size_t size_ = 0;
};

}  // namespace attendant
