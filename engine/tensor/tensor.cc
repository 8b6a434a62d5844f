#include "engine/tensor/tensor.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace attendant {
namespace {

// Without a branch, so that loops over it vectorise: the exponent is rebiased by a multiplication, which is
// exact for normal and subnormal numbers; infinities and NaN are then given their exponent back.
float F16ToF32(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(half & 0x7fffu);
  const float rebiased = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  const uint32_t special = magnitude >= 0x7c00u ? 0x7f800000u : 0u;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(rebiased) | special | sign);
}

float BF16ToF32(uint16_t brain) {
  return std::bit_cast<float>(static_cast<uint32_t>(brain) << 16);
}

template <float (*kWiden)(uint16_t)>
void Widen(const std::byte* src, absl::Span<float> dst) {
  for (float& value : dst) {
    uint16_t narrow;
    std::memcpy(&narrow, src, sizeof(narrow));
    src += sizeof(narrow);
    value = kWiden(narrow);
  }
}

}  // namespace

int64_t Shape::num_elements() const {
  int64_t count = 1;
  for (const int64_t dim : dims_) count *= dim;
  return count;
}

std::string Shape::ToString() const {
  return absl::StrCat("[", absl::StrJoin(dims_, ", "), "]");
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const size_t bytes = static_cast<size_t>(shape_.num_elements()) * SizeOf(dtype_);
  data_ = AllocateAligned(bytes);
  std::memset(data_.get(), 0, bytes);
}

absl::Span<float> Tensor::f32() {
  return {reinterpret_cast<float*>(data_.get()), static_cast<size_t>(shape_.num_elements())};
}

absl::Span<const float> Tensor::f32() const {
  return {reinterpret_cast<const float*>(data_.get()), static_cast<size_t>(shape_.num_elements())};
}

void WidenToF32(DType dtype, const std::byte* src, absl::Span<float> dst) {
  switch (dtype) {
    case DType::kF16:
      Widen<F16ToF32>(src, dst);
      break;
    case DType::kBF16:
      Widen<BF16ToF32>(src, dst);
      break;
    default:
      if (!dst.empty()) std::memcpy(dst.data(), src, dst.size() * sizeof(float));
      break;
  }
}

Tensor ToF32(const TensorView& view) {
  Tensor wide(DType::kF32, view.shape);
  WidenToF32(view.dtype, view.data, wide.f32());
  return wide;
}

}  // namespace attendant
