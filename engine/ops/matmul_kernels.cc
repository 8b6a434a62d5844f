#include "engine/ops/matmul_kernels.h"

#include <map>
#include <mutex>

#include "engine/ops/one_thread.h"

namespace attendant {
namespace {

using dnnl::memory;

memory::desc RowMajor(int64_t rows, int64_t columns) {
  return memory::desc({rows, columns}, memory::data_type::f32, memory::format_tag::ab);
}

dnnl::primitive_attr Attributes(const MatmulKey& key) {
  dnnl::post_ops post_ops;
  switch (key.activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      AppendActivation(post_ops, dnnl::algorithm::eltwise_relu, 0.0f);
      break;
    case Activation::kGelu:
      AppendActivation(post_ops, dnnl::algorithm::eltwise_gelu_erf, 0.0f);
      break;
    case Activation::kSwish:
      AppendActivation(post_ops, dnnl::algorithm::eltwise_swish, 1.0f);
      break;
  }
  if (key.output == LinearOutput::kAdd) post_ops.append_sum(1.0f);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post_ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::matmul::primitive_desc Describe(const MatmulKey& key, int64_t rows, const memory::desc& weights) {
  // oneDNN chooses its blocking for the number of OpenMP threads of the moment, and each of our calls runs on
  // one.
  ComputeOnThisThreadAlone();
  return DescribeMatmul(RowMajor(rows, key.in_dim), weights, RowMajor(1, key.out_dim),
                        RowMajor(rows, key.out_dim), Attributes(key));
}

}  // namespace

const MatmulKernels& MatmulKernels::Get(MatmulKey key) {
  static std::mutex mutex;
  static auto& all =
      *new std::map<MatmulKey, std::unique_ptr<MatmulKernels>>();  // Never destroyed: used until the end.
  std::lock_guard lock(mutex);
  std::unique_ptr<MatmulKernels>& kernels = all[key];
  if (kernels == nullptr) kernels = std::make_unique<MatmulKernels>(key);
  return *kernels;
}

MatmulKernels::MatmulKernels(const MatmulKey& key)
    : key_(key),
      packed_weights_(
          Describe(key, kMaxRows,
                   memory::desc({key.in_dim, key.out_dim}, memory::data_type::f32, memory::format_tag::any))
              .weights_desc()) {
#if DNNL_VERSION_MAJOR >= 3
  constexpr int64_t kLargeInDim = 1024;
  if (key.in_dim >= kLargeInDim) min_rows_ = 2;
#endif
  for (int64_t rows = 1; rows <= kMaxRows; ++rows) by_rows_.push_back(Make(rows));
}

std::unique_ptr<const MatmulKernels::Kernel> MatmulKernels::Make(int64_t rows) const {
  const dnnl::matmul::primitive_desc description = Describe(key_, rows, packed_weights_);
  auto kernel = std::make_unique<Kernel>();
  kernel->src = description.src_desc();
  kernel->weights = description.weights_desc();
  kernel->bias = description.bias_desc();
  kernel->dst = description.dst_desc();
  kernel->scratchpad = description.scratchpad_desc();
  kernel->scratchpad_bytes = kernel->scratchpad.get_size();
  kernel->primitive = dnnl::matmul(description);
  return kernel;
}

}  // namespace attendant
