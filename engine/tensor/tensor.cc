#include "engine/tensor/tensor.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace attendant {
namespace {

constexpr size_t kAlignment = 64;

float F16ToF32(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float subnormal = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -subnormal : subnormal;
}

float BF16ToF32(uint16_t brain) { return std::bit_cast<float>(static_cast<uint32_t>(brain) << 16); }

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

std::string Shape::ToString() const { return absl::StrCat("[", absl::StrJoin(dims_, ", "), "]"); }

void Tensor::Free::operator()(std::byte* bytes) const { std::free(bytes); }

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const size_t bytes = static_cast<size_t>(shape_.num_elements()) * SizeOf(dtype_);
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded)));
  if (data_ == nullptr) throw std::bad_alloc();
  std::memset(data_.get(), 0, rounded);
}

absl::Span<float> Tensor::f32() {
  return {reinterpret_cast<float*>(data_.get()), static_cast<size_t>(shape_.num_elements())};
}

absl::Span<const float> Tensor::f32() const {
  return {reinterpret_cast<const float*>(data_.get()), static_cast<size_t>(shape_.num_elements())};
}

Tensor ToF32(const TensorView& view) {
  Tensor wide(DType::kF32, view.shape);
  switch (view.dtype) {
    case DType::kF16:
      Widen<F16ToF32>(view.data, wide.f32());
      break;
    case DType::kBF16:
      Widen<BF16ToF32>(view.data, wide.f32());
      break;
    default:
      if (view.size_bytes() > 0) std::memcpy(wide.data(), view.data, view.size_bytes());
      break;
  }
  return wide;
}

}  // namespace attendant
