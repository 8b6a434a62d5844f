#include "engine/ops/linear.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "engine/ops/column_panels.h"
#include "engine/ops/matmul_kernels.h"
#include "engine/ops/one_thread.h"
#include "engine/tensor/memory.h"
#include "engine/tensor/tensor.h"

namespace attendant {

class Linear::Impl {
 public:
  Impl(const LinearWeights& weights, Activation activation, LinearOutput output)
      : in_dim_(weights.in_dim),
        out_dim_(weights.out_dim),
        adds_(output == LinearOutput::kAdd),
        key_{in_dim_, out_dim_, activation, output, kMaxRows},
        kernels_(MatmulKernels::Get(key_)),
        packed_(AllocateForWeights(kernels_.packed_weights().get_size())),
        bias_(DType::kF32, {out_dim_}),
        weights_(kernels_.packed_weights(), CpuEngine(), packed_.get()),
        bias_memory_(kernels_.bias(), CpuEngine(), bias_.f32().data()) {
    ComputeOnThisThreadAlone();
    if (weights.bias != nullptr) std::copy_n(weights.bias, out_dim_, bias_.f32().data());
    const dnnl::memory::desc plain({in_dim_, out_dim_}, dnnl::memory::data_type::f32,
                                   dnnl::memory::format_tag::ba);
    dnnl::memory from(plain, CpuEngine(), const_cast<float*>(weights.weights));
    dnnl::stream stream(CpuEngine());
    dnnl::reorder(from, weights_).execute(stream, from, weights_);
    stream.wait();
  }

  void PrepareColumnSharing() {
    panels_ = ColumnPanels::Create(key_, kernels_, packed_.get(), bias_.f32().data());
  }
  bool shares_columns() const { return panels_.has_value(); }

  void Run(const float* src, size_t rows, float* dst, const ThreadTeam& team) const {
    const bool by_columns = team.size() > 1 && panels_.has_value();
    int64_t left = static_cast<int64_t>(rows);
    for (int64_t chunks = (left + kMaxRows - 1) / kMaxRows; chunks > 0; --chunks) {
      const int64_t chunk = (left + chunks - 1) / chunks;  // None much smaller than another.
      if (chunk < kernels_.min_rows()) {
        RunLoneRow(src, dst, team.workspace());
      } else if (by_columns) {
        RunPanels(src, chunk, dst, team);
      } else {
        RunChunk(src, chunk, dst, team.workspace());
      }
      src += chunk * in_dim_;
      dst += chunk * out_dim_;
      left -= chunk;
    }
  }

  int64_t in_dim() const { return in_dim_; }
  int64_t out_dim() const { return out_dim_; }
  int64_t size_bytes() const {
    return static_cast<int64_t>(kernels_.packed_weights().get_size() + bias_.view().size_bytes());
  }

 private:
  // The most rows of one kernel: more are cut into chunks of it, so the number of kernels is bounded.
  static constexpr int64_t kMaxRows = 256;

  void RunPanels(const float* src, int64_t rows, float* dst, const ThreadTeam& team) const {
    team.Run([&](const WorkPart& part, Workspace& workspace) {
      ComputeOnThisThreadAlone();
      const RowRange panels = part.Of(static_cast<size_t>(panels_->size()));
      for (size_t panel = panels.begin; panel < panels.end; ++panel) {
        panels_->Run(static_cast<int64_t>(panel), src, rows, dst, workspace);
      }
    });
  }

  void RunChunk(const float* src, int64_t rows, float* dst, Workspace& workspace) const {
    ComputeOnThisThreadAlone();
    const MatmulKernels::Kernel& kernel = kernels_.ForRows(rows);
    const Workspace::Scope scope(workspace);
    const auto scratchpad = workspace.Alloc<std::byte>(kernel.scratchpad_bytes());
    kernel.Execute(src, weights_, bias_memory_, dst, scratchpad.data());
  }

  void RunLoneRow(const float* src, float* dst, Workspace& workspace) const {
    const Workspace::Scope scope(workspace);
    const size_t in_dim = static_cast<size_t>(in_dim_);
    const size_t out_dim = static_cast<size_t>(out_dim_);
    const auto wide_src = workspace.Alloc<float>(2 * in_dim);
    const auto wide_dst = workspace.Alloc<float>(2 * out_dim);
    for (size_t i = 0; i < 2; ++i) {
      std::memcpy(wide_src.data() + i * in_dim, src, in_dim * sizeof(float));
      if (adds_) std::memcpy(wide_dst.data() + i * out_dim, dst, out_dim * sizeof(float));
    }
    RunChunk(wide_src.data(), 2, wide_dst.data(), workspace);
    std::memcpy(dst, wide_dst.data(), out_dim * sizeof(float));
  }

  const int64_t in_dim_;
  const int64_t out_dim_;
  const bool adds_;
  const MatmulKey key_;
  const MatmulKernels& kernels_;
  const std::shared_ptr<std::byte> packed_;
  Tensor bias_;
  dnnl::memory weights_;  // Of packed_'s bytes.
  dnnl::memory bias_memory_;
  std::optional<ColumnPanels> panels_;
};

Linear::Linear(const LinearWeights& weights, Activation activation, LinearOutput output)
    : impl_(std::make_unique<Impl>(weights, activation, output)) {}
Linear::Linear(Linear&&) noexcept = default;
Linear& Linear::operator=(Linear&&) noexcept = default;
Linear::~Linear() = default;

void Linear::Run(const float* src, size_t rows, float* dst, const ThreadTeam& team) const {
  impl_->Run(src, rows, dst, team);
}

void Linear::PrepareColumnSharing() {
  impl_->PrepareColumnSharing();
}
bool Linear::shares_columns() const {
  return impl_->shares_columns();
}

int64_t Linear::in_dim() const {
  return impl_->in_dim();
}
int64_t Linear::out_dim() const {
  return impl_->out_dim();
}
int64_t Linear::size_bytes() const {
  return impl_->size_bytes();
}

}  // namespace attendant
