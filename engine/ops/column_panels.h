#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/ops/matmul_kernels.h"

namespace attendant {

// The columns of a matmul's dst in panels of equal width, so that threads share a few rows by columns: each
// reads its part of the weights alone. Works on the packed weights of the whole, of which a panel is a
// contiguous part. Invariant: the same bits as the whole matmul, for every number of rows. Immutable after
// construction: thread-safe. Throws dnnl::error and std::bad_alloc only.
class ColumnPanels {
 public:
  // whole: the kernels of all columns; weights and bias: their packed data, borrowed. None where out_dim has
  // no such panels, or the packed layout does not keep them apart.
  static std::optional<ColumnPanels> Create(const MatmulKey& whole, const MatmulKernels& kernels,
                                            void* weights, float* bias);

  int64_t size() const { return static_cast<int64_t>(weights_.size()); }
  // Panel `panel` of dst [rows, out_dim]; rows from the whole kernels' min_rows() to their max_rows.
  void Run(int64_t panel, const float* src, int64_t rows, float* dst, Workspace& workspace) const;

 private:
  ColumnPanels(const MatmulKey& panel, int64_t out_dim)
      : key_(panel), kernels_(&MatmulKernels::Get(panel)), out_dim_(out_dim) {}

  MatmulKey key_;                             // Of a panel, as ...
  const MatmulKernels* kernels_;              // ... are these.
  int64_t out_dim_;                           // Of all.
  std::vector<dnnl::memory> weights_, bias_;  // Of each panel.
};

}  // namespace attendant
