#include "engine/ops/matmul_kernels.h"

#include <atomic>
#include <iterator>
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
    case Activation::kGeluTanh:
      AppendActivation(post_ops, dnnl::algorithm::eltwise_gelu_tanh, 0.0f);
      break;
    case Activation::kTanh:
      AppendActivation(post_ops, dnnl::algorithm::eltwise_tanh, 0.0f);
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

size_t NextIndex() {
  static std::atomic<size_t> next{0};
  return next++;
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
          Describe(key, key.max_rows,
                   memory::desc({key.in_dim, key.out_dim}, memory::data_type::f32, memory::format_tag::any))
              .weights_desc()) {
#if DNNL_VERSION_MAJOR >= 3
  constexpr int64_t kLargeInDim = 1024;
  if (key.in_dim >= kLargeInDim) min_rows_ = 2;
#endif
  for (int64_t rows = 1; rows <= key.max_rows; ++rows)
    by_rows_.push_back(std::make_unique<const Kernel>(Describe(key_, rows, packed_weights_)));
}

dnnl::memory::desc MatmulKernels::bias() const {
  return RowMajor(1, key_.out_dim);
}

MatmulKernels::Kernel::Kernel(const dnnl::matmul::primitive_desc& description)
    : index_(NextIndex()),
      src_(description.src_desc()),
      dst_(description.dst_desc()),
      scratchpad_(description.scratchpad_desc()),
      scratchpad_bytes_(scratchpad_.get_size()),
      primitive_(description) {}

MatmulKernels::Arguments& MatmulKernels::Kernel::OfThisThread() const {
  thread_local std::vector<std::unique_ptr<Arguments>> all;
  if (index_ >= all.size()) all.resize(index_ + 1);
  std::unique_ptr<Arguments>& arguments = all[index_];
  if (arguments == nullptr) {
    const auto without_data = [](const memory::desc& description) {
      return memory(description, CpuEngine(), DNNL_MEMORY_NONE);
    };
    arguments = std::make_unique<Arguments>(
        Arguments{without_data(src_), without_data(dst_), without_data(scratchpad_)});
  }
  return *arguments;
}

void MatmulKernels::Kernel::Execute(const void* src, const memory& weights, const memory& bias, void* dst,
                                    void* scratchpad) const {
  thread_local const dnnl::stream stream(CpuEngine());
  Arguments& mine = OfThisThread();
  mine.src.set_data_handle(const_cast<void*>(src));
  mine.dst.set_data_handle(dst);
  mine.scratchpad.set_data_handle(scratchpad);
  // The C function: the C++ one builds a hash map for each call.
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, mine.src.get()},
                                       {DNNL_ARG_WEIGHTS, weights.get()},
                                       {DNNL_ARG_BIAS, bias.get()},
                                       {DNNL_ARG_DST, mine.dst.get()},
                                       {DNNL_ARG_SCRATCHPAD, mine.scratchpad.get()}};
  dnnl::error::wrap_c_api(
      dnnl_primitive_execute(primitive_.get(), stream.get(), std::size(arguments), arguments),
      "could not execute a matmul");
}

}  // namespace attendant
