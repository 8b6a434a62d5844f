#pragma once

#include <cstddef>

namespace attendant {

// rows[r] = (rows[r] - mean) / sqrt(variance + epsilon) * scale + shift, in place, for `count` rows of `dim`
// floats, end to end. Each row's result depends on that row alone, bit for bit. Source: Ba et al. 2016;
// epsilon inside the root, variance biased, as PyTorch has it.
struct LayerNormWeights {
  const float* scale = nullptr;  // [dim]
  const float* shift = nullptr;  // [dim]
  size_t dim = 0;
  float epsilon = 1e-5f;
};
void LayerNorm(const LayerNormWeights& weights, float* rows, size_t count);

}  // namespace attendant
