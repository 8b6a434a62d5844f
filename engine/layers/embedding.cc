#include "engine/layers/embedding.h"

#include <cmath>
#include <cstring>

namespace attendant {

Embedding::Embedding(const TensorView& tokens, float scale, Tensor positions)
    : hidden_dim_(tokens.shape[1]),
      scale_(scale),
      tokens_(tokens.dtype, tokens.shape),
      positions_(std::move(positions)) {
  std::memcpy(tokens_.data(), tokens.data, tokens.size_bytes());
}

void Embedding::Lookup(int32_t token, int32_t position, float* dst) const {
  const size_t dim = static_cast<size_t>(hidden_dim_);
  const std::byte* row = tokens_.data() + static_cast<size_t>(token) * dim * SizeOf(tokens_.dtype());
  WidenToF32(tokens_.dtype(), row, {dst, dim});
  const float* offset = positions_.f32().data() + static_cast<size_t>(position) * dim;
  for (size_t i = 0; i < dim; ++i) dst[i] = dst[i] * scale_ + offset[i];
}

int64_t Embedding::size_bytes() const {
  return static_cast<int64_t>(tokens_.view().size_bytes() + positions_.view().size_bytes());
}

Tensor SinusoidalPositions(int64_t max_positions, int64_t dim) {
  Tensor table(DType::kF32, {max_positions, dim});
  float* row = table.f32().data();
  const int64_t sines = (dim + 1) / 2;
  for (int64_t position = 0; position < max_positions; ++position, row += dim) {
    for (int64_t i = 0; i < dim; ++i) {
      const int64_t pair = i < sines ? i : i - sines;
      const double angle = static_cast<double>(position) /
                           std::pow(10000.0, 2.0 * static_cast<double>(pair) / static_cast<double>(dim));
      row[i] = static_cast<float>(i < sines ? std::sin(angle) : std::cos(angle));
    }
  }
  return table;
}

}  // namespace attendant
