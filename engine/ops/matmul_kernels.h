#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/ops/dnnl_matmul.h"
#include "engine/ops/linear.h"

namespace attendant {

// What a compiled matmul depends on, beside the number of rows.
struct MatmulKey {
  int64_t in_dim = 0;
  int64_t out_dim = 0;
  Activation activation = Activation::kNone;
  LinearOutput output = LinearOutput::kStore;
  int64_t max_rows = 0;  // Of one kernel.
  auto operator<=>(const MatmulKey&) const = default;
};

// The compiled matmuls of one key, for 1 to max_rows rows: compiled when the model loads, so that no
// request waits for a compiler. Immutable after construction: thread-safe. Construction throws dnnl::error.
class MatmulKernels {
 public:
  // What the calls to one kernel from one thread pass each time anew: made once, as making costs more than
  // a small matmul.
  struct Arguments {
    dnnl::memory src, dst, scratchpad;
  };

  class Kernel {
   public:
    explicit Kernel(const dnnl::matmul::primitive_desc& description);
    // dst = ... as the key says, on the calling thread. scratchpad: scratchpad_bytes().
    void Execute(const void* src, const dnnl::memory& weights, const dnnl::memory& bias, void* dst,
                 void* scratchpad) const;
    size_t scratchpad_bytes() const { return scratchpad_bytes_; }

   private:
    Arguments& OfThisThread() const;

    const size_t index_;  // Among all kernels of the process.
    const dnnl::memory::desc src_, dst_, scratchpad_;
    const size_t scratchpad_bytes_;
    const dnnl::matmul primitive_;
  };

  // The process-wide set of this key; lives for ever.
  static const MatmulKernels& Get(MatmulKey key);

  explicit MatmulKernels(const MatmulKey& key);

  // The layout in which weights are packed; the same for every number of rows.
  const dnnl::memory::desc& packed_weights() const { return packed_weights_; }
  dnnl::memory::desc bias() const;
  // 1 to max_rows rows.
  const Kernel& ForRows(int64_t rows) const { return *by_rows_[static_cast<size_t>(rows - 1)]; }
  // oneDNN 3 sums in another order at one row where in_dim is large: such a row is computed as one of two.
  int64_t min_rows() const { return min_rows_; }

 private:
  const MatmulKey key_;
  dnnl::memory::desc packed_weights_;
  int64_t min_rows_ = 1;
  std::vector<std::unique_ptr<const Kernel>> by_rows_;  // For 1 row, 2 rows, ...
};

}  // namespace attendant
