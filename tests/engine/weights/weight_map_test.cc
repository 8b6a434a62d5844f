#include "engine/weights/weight_map.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace attendant {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A map of f32 tensors "a" [2, 3], "b" [4], i32 "ids" [2]; values 0, 1, 2, ... across them.
WeightMap Sample() {
  auto bytes = std::make_unique<std::byte[]>(12 * sizeof(float));
  for (int i = 0; i < 12; ++i) {
    const float value = static_cast<float>(i);
    std::memcpy(bytes.get() + static_cast<size_t>(i) * sizeof(float), &value, sizeof(float));
  }
  const std::byte* data = bytes.get();
  WeightMap map;
  map.Adopt(std::move(bytes));
  EXPECT_TRUE(map.Add("a", {DType::kF32, {2, 3}, data}).ok());
  EXPECT_TRUE(map.Add("b", {DType::kF32, {4}, data + 24}).ok());
  EXPECT_TRUE(map.Add("ids", {DType::kS32, {2}, data + 40}).ok());
  return map;
}

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

TEST(WeightMapTest, GivesTensorsAndSurvivesMoves) {
  WeightMap moved = Sample();
  WeightMap map = std::move(moved);
  const auto view = map.Require("b", {4});
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_THAT(ToF32(*view).f32(), ElementsAre(6, 7, 8, 9));
  EXPECT_THAT(map.names(), ElementsAre("a", "b", "ids"));
}

TEST(WeightMapTest, NamesAMissingTensorWithItsShape) {
  WeightMap map = Sample();
  const auto status = map.Require("model.x", {7, 2}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Message(status), "tensor model.x of shape [7, 2] is missing");
  EXPECT_THAT(Message(map.Get("model.x").status()), HasSubstr("tensor model.x is missing"));
}

TEST(WeightMapTest, NamesAMisshapenTensorWithBothShapes) {
  WeightMap map = Sample();
  const auto status = map.Require("a", {3, 2}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Message(status), "tensor a has shape [2, 3]; the configuration asks for [3, 2]");
  EXPECT_THAT(map.UnusedNames(), ElementsAre("a", "b", "ids"));
}

TEST(WeightMapTest, RefusesIntegersWhereWeightsAreRequired) {
  WeightMap map = Sample();
  EXPECT_EQ(Message(map.Require("ids", {2}).status()),
            "tensor ids has elements I32; expected F32, F16 or BF16");
  EXPECT_TRUE(map.Get("ids").ok());
}

TEST(WeightMapTest, NamesSurplusTensors) {
  WeightMap map = Sample();
  ASSERT_TRUE(map.Require("a", {2, 3}).ok());
  EXPECT_THAT(map.UnusedNames(), ElementsAre("b", "ids"));
  const auto status = map.CheckAllUsed({});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Message(status), "2 surplus tensors that this architecture does not have: b [4], ids [2]");
}

TEST(WeightMapTest, IgnoresSurplusByNameOrPrefix) {
  WeightMap map = Sample();
  ASSERT_TRUE(map.Get("a").ok());
  EXPECT_TRUE(map.CheckAllUsed({"b", "ids"}).ok());
  EXPECT_TRUE(map.CheckAllUsed({"b*", "id*"}).ok());
  EXPECT_FALSE(map.CheckAllUsed({"b", "id"}).ok()) << "a name without '*' is no prefix";
  EXPECT_FALSE(map.CheckAllUsed({"bb*", "ids*"}).ok());
}

TEST(WeightMapTest, ShortensALongListOfSurplusTensors) {
  WeightMap map;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(map.Add(absl::StrCat("t", i), {DType::kF32, {0}, nullptr}).ok());
  const std::string message = Message(map.CheckAllUsed({}));
  EXPECT_THAT(message, HasSubstr("20 surplus tensors"));
  EXPECT_LT(message.size(), 200U);
}

TEST(WeightMapTest, RefusesANameTwice) {
  WeightMap map = Sample();
  EXPECT_EQ(map.Add("a", {DType::kF32, {0}, nullptr}).code(), absl::StatusCode::kDataLoss);
  const auto merged = map.Merge(Sample());
  EXPECT_EQ(merged.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Message(merged), HasSubstr("tensor a is there twice"));
}

TEST(WeightMapTest, MergeKeepsTheOtherMapsBytesAlive) {
  WeightMap map;
  ASSERT_TRUE(map.Merge(Sample()).ok());
  EXPECT_THAT(ToF32(map.Require("b", {4}).value()).f32(), ElementsAre(6, 7, 8, 9));
}

TEST(WeightMapTest, NamesATensorThatIsNotFinite) {
  auto bytes = std::make_unique<std::byte[]>(6);
  const uint16_t values[] = {0x3c00, 0x7bff, 0xfc00};  // 1, the largest f16, -infinity.
  std::memcpy(bytes.get(), values, sizeof(values));
  const std::byte* data = bytes.get();
  WeightMap map;
  map.Adopt(std::move(bytes));
  ASSERT_TRUE(map.Add("good", {DType::kF16, {2}, data}).ok());
  EXPECT_TRUE(map.CheckAllFinite().ok());
  ASSERT_TRUE(map.Add("bad", {DType::kF16, {3}, data}).ok());
  const auto status = map.CheckAllFinite();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Message(status), "tensor bad [3] holds a NaN or an infinity at element 2");
}

template <typename T>
TensorView View(DType dtype, const std::vector<T>& values) {
  return {dtype, {static_cast<int64_t>(values.size())}, reinterpret_cast<const std::byte*>(values.data())};
}

TEST(FirstNonFiniteTest, FindsTheFirstWhereverItLies) {
  for (const size_t size : {1, 2, 63, 4095, 4096, 4097, 10'000}) {
    std::vector<float> values(size, -std::numeric_limits<float>::max());
    EXPECT_EQ(FirstNonFinite(View(DType::kF32, values)), std::nullopt);
    for (const size_t at : {size_t{0}, size / 2, size - 1}) {
      for (const float bad : {NAN, INFINITY, -INFINITY}) {
        std::vector<float> broken = values;
        broken[at] = bad;
        broken.back() = bad;
        EXPECT_EQ(FirstNonFinite(View(DType::kF32, broken)), static_cast<int64_t>(at)) << size;
      }
    }
  }
}

TEST(FirstNonFiniteTest, KnowsTheHalfFormats) {
  EXPECT_EQ(FirstNonFinite(View<uint16_t>(DType::kF16, {0x7bff, 0x0001, 0x7c01})), 2);
  EXPECT_EQ(FirstNonFinite(View<uint16_t>(DType::kBF16, {0x7f7f, 0x7c00, 0xff80, 0x7f80})), 2);
  EXPECT_EQ(FirstNonFinite(View<uint16_t>(DType::kBF16, {0xff7f, 0x0001})), std::nullopt);
}

TEST(FirstNonFiniteTest, AcceptsUnalignedEmptyAndIntegers) {
  std::vector<std::byte> bytes(9);
  const float bad = NAN;
  std::memcpy(bytes.data() + 5, &bad, sizeof(bad));
  EXPECT_EQ(FirstNonFinite({DType::kF32, {2}, bytes.data() + 1}), 1);
  EXPECT_EQ(FirstNonFinite({DType::kF32, {0}, nullptr}), std::nullopt);
  EXPECT_EQ(FirstNonFinite(View<int32_t>(DType::kS32, {-1, 0x7f800000})), std::nullopt);
}

}  // namespace
}  // namespace attendant
