#include "engine/tensor/tensor.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/tensor/workspace.h"

namespace attendant {
namespace {

float Widened(DType dtype, uint16_t bits) {
  float wide;
  WidenToF32(dtype, reinterpret_cast<const std::byte*>(&bits), {&wide, 1});
  return wide;
}

// By the definition of IEEE 754 binary16, in double.
double ExactF16(uint16_t bits) {
  const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
  const int exponent = (bits >> 10) & 0x1f;
  const double mantissa = bits & 0x3ffu;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1 + mantissa / 1024, exponent - 15);
}

TEST(WidenToF32Test, EveryF16IsExact) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const uint16_t half = static_cast<uint16_t>(bits);
    const float wide = Widened(DType::kF16, half);
    if ((bits & 0x7c00u) != 0x7c00u) {
      ASSERT_EQ(wide, ExactF16(half)) << bits;
      ASSERT_EQ(std::signbit(wide), (bits & 0x8000u) != 0) << bits;
    } else if ((bits & 0x3ffu) != 0) {
      ASSERT_TRUE(std::isnan(wide)) << bits;
    } else {
      ASSERT_TRUE(std::isinf(wide)) << bits;
      ASSERT_EQ(std::signbit(wide), (bits & 0x8000u) != 0) << bits;
    }
  }
}

TEST(WidenToF32Test, BF16IsTheUpperHalfOfF32) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float wide = Widened(DType::kBF16, static_cast<uint16_t>(bits));
    ASSERT_EQ(std::bit_cast<uint32_t>(wide), bits << 16);
  }
}

TEST(WidenToF32Test, MisalignedSourceIsRead) {
  const float values[2] = {1.5f, -2.25f};
  std::vector<std::byte> bytes(sizeof(values) + 1);
  std::memcpy(bytes.data() + 1, values, sizeof(values));
  float wide[2];
  WidenToF32(DType::kF32, bytes.data() + 1, wide);
  EXPECT_EQ(wide[0], 1.5f);
  EXPECT_EQ(wide[1], -2.25f);
}

TEST(TensorTest, IsAlignedAndZeroed) {
  const Tensor tensor(DType::kF32, {3, 5});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
  for (const float value : tensor.f32()) EXPECT_EQ(value, 0.0f);
  EXPECT_EQ(tensor.shape().ToString(), "[3, 5]");
}

TEST(WorkspaceTest, MemoryIsAlignedAndDistinct) {
  Workspace workspace;
  std::vector<absl::Span<char>> spans;
  for (size_t size : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{3} << 20}) {
    spans.push_back(workspace.Alloc<char>(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(spans.back().data()) % 64, 0u);
    std::memset(spans.back().data(), static_cast<int>(spans.size()), size);
  }
  for (size_t i = 0; i < spans.size(); ++i) {
    for (const char byte : spans[i]) ASSERT_EQ(byte, static_cast<char>(i + 1));
  }
}

TEST(WorkspaceTest, AfterAResetTheSameStepTakesNoMoreMemory) {
  Workspace workspace;
  const auto step = [&workspace] {
    workspace.Reset();
    for (int i = 0; i < 10; ++i) workspace.Alloc<float>(300'000);
  };
  step();
  step();
  const size_t settled = workspace.capacity_bytes();
  for (int i = 0; i < 10; ++i) step();
  EXPECT_EQ(workspace.capacity_bytes(), settled);
}

TEST(WorkspaceTest, ScopeGivesBackWhatWasTakenWithin) {
  Workspace workspace;
  workspace.Alloc<float>(10);
  float* inner;
  {
    const Workspace::Scope scope(workspace);
    inner = workspace.Alloc<float>(10).data();
    workspace.Alloc<float>(10'000'000);  // A block of its own.
  }
  EXPECT_EQ(workspace.Alloc<float>(10).data(), inner);
}

}  // namespace
}  // namespace attendant
