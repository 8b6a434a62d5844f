#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/memory.h"

namespace attendant {

// Sizes of the axes, outermost first; row-major. Each >= 0. A scalar has no axis.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(absl::Span<const int64_t> dims) : dims_(dims.begin(), dims.end()) {}

  int rank() const { return static_cast<int>(dims_.size()); }
  int64_t operator[](int axis) const { return dims_[static_cast<size_t>(axis)]; }
  absl::Span<const int64_t> dims() const { return dims_; }
  // Product of the axes; the caller has checked that it fits (readers of files do, with overflow).
  int64_t num_elements() const;
  // "[2, 512]"
  std::string ToString() const;
  friend bool operator==(const Shape& a, const Shape& b) { return a.dims_ == b.dims_; }

 private:
  absl::InlinedVector<int64_t, 4> dims_;
};

// A borrowed, read-only, row-major, contiguous tensor. Copyable; valid while its owner lives.
// data need not be aligned: files are mapped as they are.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  const std::byte* data = nullptr;

  size_t size_bytes() const { return static_cast<size_t>(shape.num_elements()) * SizeOf(dtype); }
};

// An owning, row-major, contiguous tensor, aligned to kTensorAlignment, zeroed. Movable, not copyable.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, Shape shape);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  // The elements as f32; dtype() must be kF32.
  absl::Span<float> f32();
  absl::Span<const float> f32() const;
  TensorView view() const { return {dtype_, shape_, data_.get()}; }

 private:
  DType dtype_ = DType::kF32;
  Shape shape_;
  AlignedBytes data_;
};

// Elements of a kF32, kF16 or kBF16 array widened to f32: exact, subnormals, infinities and NaN kept.
// src holds dst.size() elements of dtype; it need not be aligned.
void WidenToF32(DType dtype, const std::byte* src, absl::Span<float> dst);

// The elements of view (kF32, kF16 or kBF16) widened to f32.
Tensor ToF32(const TensorView& view);

}  // namespace attendant
