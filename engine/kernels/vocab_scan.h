#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace attendant {

// A token and its raw logit (or, where said so, its score).
struct TokenScore {
  int32_t token = 0;
  float score = 0;
};

// log(Σ exp(x)) of a row that comes in tiles. The result depends on the values and the tiling alone.
// Source: Milakov and Gimelshein 2018, algorithm 3.
struct RunningLogSumExp {
  float max;  // -inf before the first tile.
  float sum = 0;

  RunningLogSumExp();
  void Add(absl::Span<const float> tile);
  // NaN or infinite if the row held such.
  float Value() const;
};

// The best `capacity` scores of a row that comes in tiles, by descending score, ties by ascending token. NaN
// is never among them.
class RunningTopK {
 public:
  // storage: capacity long, borrowed.
  explicit RunningTopK(absl::Span<TokenScore> storage) : storage_(storage) {}

  // tile[i] is the score of token first_token + i; tiles come in ascending order. -inf never enters.
  void Add(absl::Span<const float> tile, int32_t first_token);
  absl::Span<const TokenScore> best() const { return storage_.subspan(0, size_); }

 private:
  void Insert(TokenScore candidate);
  float threshold() const;

  absl::Span<TokenScore> storage_;
  size_t size_ = 0;
};

}  // namespace attendant
