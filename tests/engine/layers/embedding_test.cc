#include "engine/layers/embedding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace attendant {
namespace {

TEST(SinusoidalPositionsTest, SinesThenCosines) {
  const Tensor table = SinusoidalPositions(50, 8);
  for (int position = 0; position < 50; ++position) {
    for (int pair = 0; pair < 4; ++pair) {
      const double angle = position / std::pow(10000.0, 2.0 * pair / 8);
      EXPECT_EQ(table.f32()[static_cast<size_t>(position * 8 + pair)], static_cast<float>(std::sin(angle)));
      EXPECT_EQ(table.f32()[static_cast<size_t>(position * 8 + 4 + pair)],
                static_cast<float>(std::cos(angle)));
    }
  }
}

TEST(SinusoidalPositionsTest, OddWidthHasOneSineMore) {
  const Tensor table = SinusoidalPositions(2, 3);
  EXPECT_EQ(table.f32()[3 + 0], static_cast<float>(std::sin(1.0)));
  EXPECT_EQ(table.f32()[3 + 1], static_cast<float>(std::sin(1.0 / std::pow(10000.0, 2.0 / 3))));
  EXPECT_EQ(table.f32()[3 + 2], static_cast<float>(std::cos(1.0)));
}

TEST(EmbeddingTest, ScalesTheTokenAndAddsThePosition) {
  const uint16_t halves[4] = {0x3c00, 0x4000, 0xbc00, 0x3800};  // f16: 1, 2, -1, 0.5
  Tensor positions(DType::kF32, {2, 2});
  const float offsets[4] = {10, 20, 30, 40};
  std::memcpy(positions.data(), offsets, sizeof(offsets));
  const Embedding embedding({DType::kF16, {2, 2}, reinterpret_cast<const std::byte*>(halves)}, 4.0f,
                            std::move(positions));
  float row[2];
  embedding.Lookup(1, 0, row);
  EXPECT_EQ(row[0], -4.0f + 10);
  EXPECT_EQ(row[1], 2.0f + 20);
  embedding.Lookup(0, 1, row);
  EXPECT_EQ(row[0], 4.0f + 30);
  EXPECT_EQ(row[1], 8.0f + 40);
}

}  // namespace
}  // namespace attendant
