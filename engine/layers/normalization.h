#pragma once

#include <cstddef>
#include <utility>

#include "engine/kernels/layer_norm.h"
#include "engine/tensor/tensor.h"

namespace attendant {

// A layer norm with its weights. Immutable after construction: thread-safe.
class Normalization {
 public:
  // scale and shift [dim] f32.
  Normalization(Tensor scale, Tensor shift) : scale_(std::move(scale)), shift_(std::move(shift)) {}

  // x [rows, dim], in place.
  void Run(float* x, size_t rows) const {
    LayerNorm({scale_.f32().data(), shift_.f32().data(), scale_.f32().size()}, x, rows);
  }

 private:
  Tensor scale_;
  Tensor shift_;
};

}  // namespace attendant
