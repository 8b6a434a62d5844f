#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "engine/tensor/tensor.h"

namespace attendant {

// Token embedding times a scale, plus position embedding. The table stays in the type of its file: half the
// memory for f16. Immutable after construction: thread-safe.
class Embedding {
 public:
  // tokens [vocab_size, hidden_dim] kF32, kF16 or kBF16, copied; positions [max_positions, hidden_dim] f32.
  Embedding(const TensorView& tokens, float scale, Tensor positions);

  // dst [hidden_dim] = scale * tokens[token] + positions[position]. Both indices are in range (callers check
  // once, at their door).
  void Lookup(int32_t token, int32_t position, float* dst) const;

  int64_t hidden_dim() const { return hidden_dim_; }
  int64_t size_bytes() const;

 private:
  int64_t hidden_dim_;
  float scale_;
  Tensor tokens_;
  Tensor positions_;
};

// [max_positions, dim]: sines in the first half of a row, cosines in the second.
// Source: Vaswani et al. 2017, section 3.5, with the halves as Marian has them; computed in double, as the
// reference does.
Tensor SinusoidalPositions(int64_t max_positions, int64_t dim);

}  // namespace attendant
