#pragma once

#include <cstddef>
#include <utility>

#include "engine/kernels/layer_norm.h"
#include "engine/tensor/tensor.h"
#include "engine/tensor/thread_team.h"

namespace attendant {

// A layer norm with its weights. Immutable after construction: thread-safe.
class Normalization {
 public:
  static constexpr float kUsualEpsilon = 1e-5f;

  // scale and shift [dim] f32.
  Normalization(Tensor scale, Tensor shift, float epsilon)
      : scale_(std::move(scale)), shift_(std::move(shift)), epsilon_(epsilon) {}

  // x [rows, dim], in place.
  void Run(float* x, size_t rows) const {
    LayerNorm({scale_.f32().data(), shift_.f32().data(), scale_.f32().size(), epsilon_}, x, rows);
  }
  // The same, the rows shared out among the team.
  void Run(float* x, size_t rows, const ThreadTeam& team) const {
    team.Run([&](const WorkPart& part, Workspace&) {
      const RowRange range = part.Of(rows);
      Run(x + range.begin * dim(), range.size());
    });
  }
  size_t dim() const { return scale_.f32().size(); }

 private:
  Tensor scale_;
  Tensor shift_;
  float epsilon_;
};

}  // namespace attendant
