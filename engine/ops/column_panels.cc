#include "engine/ops/column_panels.h"

#include <algorithm>

namespace attendant {
namespace {

// The widest multiple of oneDNN's blocks that cuts out_dim into an even number of panels, or at least into
// equal ones; 0: none does.
int64_t PanelWidth(int64_t out_dim) {
  int64_t width = 0;
  for (const int64_t candidate : {256, 192, 128, 64}) {
    if (out_dim % candidate != 0 || out_dim == candidate) continue;
    if (out_dim / candidate % 2 == 0) return candidate;
    if (width == 0) width = candidate;
  }
  return width;
}

// Whether the packed weights of the first panel are the first part of those of the whole: then so it is with
// all, since blocks of columns are outermost and equal.
bool IsPanelOf(const dnnl::memory::desc& whole, const dnnl::memory::desc& panel, const MatmulKey& key) {
  constexpr int64_t kFloat = sizeof(float);
  if (static_cast<int64_t>(whole.get_size()) != key.in_dim * key.out_dim * kFloat) return false;
  const int64_t width = static_cast<int64_t>(panel.get_size()) / (key.in_dim * kFloat);
  return whole.submemory_desc({key.in_dim, width}, {0, 0}, /*allow_empty=*/true) == panel;
}

}  // namespace

std::optional<ColumnPanels> ColumnPanels::Create(const MatmulKey& whole, const MatmulKernels& kernels,
                                                 void* weights, float* bias) {
  const int64_t width = PanelWidth(whole.out_dim);
  constexpr int64_t kRowsOfABlock = 16;  // Of weights; other in_dim would be padded.
  if (width == 0 || whole.in_dim % kRowsOfABlock != 0) return std::nullopt;
  MatmulKey key = whole;
  key.out_dim = width;
  ColumnPanels panels(key, whole.out_dim);
  const dnnl::memory::desc& packed = panels.kernels_->packed_weights();
  if (!IsPanelOf(kernels.packed_weights(), packed, whole)) return std::nullopt;
  for (int64_t column = 0; column < whole.out_dim; column += width) {
    panels.weights_.emplace_back(packed, CpuEngine(), static_cast<float*>(weights) + column * whole.in_dim);
    panels.bias_.emplace_back(panels.kernels_->bias(), CpuEngine(), bias + column);
  }
  return panels;
}

void ColumnPanels::Run(int64_t panel, const float* src, int64_t rows, float* dst,
                       Workspace& workspace) const {
  const MatmulKernels::Kernel& kernel = kernels_->ForRows(rows);
  const Workspace::Scope scope(workspace);
  const auto index = static_cast<size_t>(panel);
  const auto width = static_cast<size_t>(key_.out_dim);
  const auto scratchpad = workspace.Alloc<std::byte>(kernel.scratchpad_bytes());
  // oneDNN's fast kernels write whole rows only.
  const auto columns = workspace.Alloc<float>(static_cast<size_t>(rows) * width);
  float* first = dst + panel * key_.out_dim;
  if (key_.output == LinearOutput::kAdd) {
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(first + r * out_dim_, width, columns.data() + r * key_.out_dim);
  }
  kernel.Execute(src, weights_[index], bias_[index], columns.data(), scratchpad.data());
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(columns.data() + r * key_.out_dim, width, first + r * out_dim_);
}

}  // namespace attendant
