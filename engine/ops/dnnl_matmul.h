#pragma once

// The one place that knows how oneDNN 2.x and 3.x differ in describing a matmul. Only engine/ops includes
// dnnl.hpp.

#include <dnnl.hpp>

namespace attendant {

// The process's CPU engine.
inline const dnnl::engine& CpuEngine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// dst = src · weights + bias, then the post-ops in attributes. bias: a zero descriptor for none. Throws
// dnnl::error.
inline dnnl::matmul::primitive_desc DescribeMatmul(const dnnl::memory::desc& src,
                                                   const dnnl::memory::desc& weights,
                                                   const dnnl::memory::desc& bias,
                                                   const dnnl::memory::desc& dst,
                                                   const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::matmul::primitive_desc(CpuEngine(), src, weights, bias, dst, attributes);
#else
  return dnnl::matmul::primitive_desc(dnnl::matmul::desc(src, weights, bias, dst), attributes, CpuEngine());
#endif
}

// Appends act(x) to post_ops.
inline void AppendActivation(dnnl::post_ops& post_ops, dnnl::algorithm algorithm, float alpha) {
#if DNNL_VERSION_MAJOR >= 3
  post_ops.append_eltwise(algorithm, alpha, 0.0f);
#else
  post_ops.append_eltwise(1.0f, algorithm, alpha, 0.0f);
#endif
}

}  // namespace attendant
