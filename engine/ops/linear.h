#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "engine/tensor/thread_team.h"

namespace attendant {

// kGelu: the exact one, by erf; kGeluTanh: its usual approximation.
enum class Activation { kNone, kRelu, kGelu, kGeluTanh, kSwish, kTanh };

// What a Linear does with src · weightsᵀ + bias.
enum class LinearOutput {
  kStore,  // dst = act(...)
  kAdd,    // dst += ...: a residual connection; no activation.
};

// Trained values, row-major f32, borrowed for the call of the constructor.
struct LinearWeights {
  const float* weights = nullptr;  // [out_dim][in_dim]
  const float* bias = nullptr;     // [out_dim], or null for none.
  int64_t in_dim = 0;
  int64_t out_dim = 0;
};

// dst = act(src · weightsᵀ + bias), weights packed once into the layout that oneDNN's kernels want; the same
// packed copy serves every number of rows. Invariants:
// 1. A row of dst depends on its row of src alone, bit for bit: not on the number of rows, nor on the
// threads.
// 2. Kernels are made once per (in_dim, out_dim, epilogue, rows) and process, and shared by all Linears of
// that shape. Thread-safe: const; one Workspace per calling thread. Throws dnnl::error and std::bad_alloc
// only. Source: Vaswani et al. 2017, section 3.3.
class Linear {
 public:
  Linear(const LinearWeights& weights, Activation activation, LinearOutput output);
  Linear(Linear&&) noexcept;
  Linear& operator=(Linear&&) noexcept;
  ~Linear();

  // Makes what a team needs to share the columns; else, and where the shape does not allow it, Run computes
  // on the calling thread alone. Before the first Run.
  void PrepareColumnSharing();
  bool shares_columns() const;

  // src [rows, in_dim] and dst [rows, out_dim] f32 row-major, caller-allocated, must not overlap. A team
  // shares the columns: good for few rows, where reading the weights is what takes the time.
  void Run(const float* src, size_t rows, float* dst, const ThreadTeam& team) const;

  int64_t in_dim() const;
  int64_t out_dim() const;
  // Of the packed weights and the bias.
  int64_t size_bytes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace attendant
