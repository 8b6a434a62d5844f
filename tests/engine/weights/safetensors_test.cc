#include "engine/weights/safetensors.h"

#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/weights/files_for_test.h"

namespace attendant {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kHuge = uint64_t{1} << 62;

std::string Floats(std::initializer_list<float> values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}

absl::Status Parse(std::string_view header, uint64_t buffer_bytes) {
  return ParseSafetensorsHeader(header, buffer_bytes, "w.safetensors").status();
}

TEST(SafetensorsTest, ReadsTensorsAndIgnoresMetadata) {
  const TempDir dir;
  const std::string path = dir.Write(
      "w.safetensors",
      Safetensors(
          R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]},)"
          R"("s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
          R"("none":{"dtype":"I64","shape":[3,0],"data_offsets":[20,20]}}   )",
          Floats({5, 1, 2, 3, 4})));
  auto weights = LoadSafetensors(path);
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(weights->names(), ElementsAre("none", "s", "w"));
  EXPECT_THAT(ToF32(weights->Require("w", {2, 2}).value()).f32(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ToF32(weights->Require("s", {}).value()).f32(), ElementsAre(5));
  EXPECT_EQ(weights->Get("none").value().size_bytes(), 0U);
}

TEST(SafetensorsTest, KnowsEveryDType) {
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, int>>{
           {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I8", 1}, {"U8", 1}, {"I32", 4}, {"I64", 8}}) {
    const std::string header = R"({"t":{"dtype":")" + name + R"(","shape":[3],"data_offsets":[0,)" +
                               std::to_string(3 * bytes) + "]}}";
    const auto entries = ParseSafetensorsHeader(header, static_cast<uint64_t>(3 * bytes), "w");
    ASSERT_TRUE(entries.ok()) << entries.status();
    EXPECT_EQ(NameOf(entries->front().dtype), name);
  }
}

TEST(SafetensorsTest, AcceptsAFileWithoutTensors) {
  const TempDir dir;
  EXPECT_TRUE(LoadSafetensors(dir.Write("w.safetensors", Safetensors("{}", ""))).value().names().empty());
}

struct BadHeader {
  const char* header;
  uint64_t buffer_bytes;
  const char* why;
};

TEST(SafetensorsTest, RefusesEachBrokenRuleAndSaysWhich) {
  const BadHeader cases[] = {
      {"", 0, "does not begin with '{'"},
      {"[]", 0, "does not begin with '{'"},
      {" {}", 0, "does not begin with '{'"},
      {"{", 0, "not valid JSON"},
      {"{}}", 0, "not valid JSON"},
      {R"({"t":3})", 0, "tensor t: expected an object"},
      {R"({"t":{"dtype":"F32","shape":[]}})", 4, "expected an object of dtype, shape and data_offsets"},
      {R"({"t":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}})", 4, "expected an object of dtype"},
      {R"({"t":{"dtype":5,"shape":[],"data_offsets":[0,4]}})", 4, "dtype is not a string"},
      {R"({"t":{"dtype":"F64","shape":[],"data_offsets":[0,8]}})", 8, "tensor t: dtype F64 is not supported"},
      {R"({"t":{"dtype":"f32","shape":[],"data_offsets":[0,4]}})", 4, "dtype f32 is not supported"},
      {R"({"t":{"dtype":"F32","shape":4,"data_offsets":[0,4]}})", 4, "shape is not a list"},
      {R"({"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "sizes >= 0"},
      {R"({"t":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "sizes >= 0"},
      {R"({"t":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", 4, "sizes >= 0"},
      {R"({"t":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}})", 4, "sizes >= 0"},
      {R"({"t":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", 4, "needs too many"},
      {R"({"t":{"dtype":"I8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "needs too many"},
      {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "span 4 bytes; F32 [2] needs 8"},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8, "span 8 bytes; F32 [1] needs 4"},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "end before they begin"},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4, "not a pair of integers"},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4, "not a pair of integers"},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4.0]}})", 4, "not a pair of integers"},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3, "ends at byte 4 of a buffer of 3"},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5, "1 bytes after the last tensor"},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})", 5, "hole of 1 bytes"},
      {"{}", 1, "1 bytes after the last tensor"},
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[4],"data_offsets":[3,7]}})",
       7, "tensor b: overlaps"},
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}})",
       4, "tensor b: overlaps"},
      {R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}})",
       2, "key \"a\" appears twice"},
      {R"({"a":{"dtype":"I8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1,
       "key \"dtype\" appears twice"},
      {R"({"__metadata__":{"a":1}})", 0, "__metadata__ is not an object of strings"},
      {R"({"__metadata__":["a"]})", 0, "__metadata__ is not an object of strings"},
      {R"({"t":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4, "nested deeper than 3"},
  };
  for (const BadHeader& bad : cases) {
    const auto status = Parse(bad.header, bad.buffer_bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << bad.header;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad.why)) << bad.header;
    EXPECT_THAT(std::string(status.message()), HasSubstr("w.safetensors: ")) << bad.header;
  }
}

TEST(SafetensorsTest, BoundsRank) {
  const auto header = [](int rank) {
    std::string ones = "1";
    for (int i = 1; i < rank; ++i) ones += ",1";
    return R"({"t":{"dtype":"I8","shape":[)" + ones + R"(],"data_offsets":[0,1]}})";
  };
  EXPECT_TRUE(Parse(header(kMaxTensorRank - 1), 1).ok());
  EXPECT_TRUE(Parse(header(kMaxTensorRank), 1).ok());
  EXPECT_THAT(std::string(Parse(header(kMaxTensorRank + 1), 1).message()),
              HasSubstr("9 axes; the limit is 8"));
}

TEST(SafetensorsTest, RefusesDeepJsonWithoutOverflowingTheStack) {
  EXPECT_FALSE(Parse(R"({"t":)" + std::string(10'000'000, '['), 0).ok());
}

TEST(SafetensorsTest, RefusesFilesCutShortAnywhere) {
  const TempDir dir;
  const std::string whole =
      Safetensors(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", Floats({1, 2}));
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto status = LoadSafetensors(dir.Write("w.safetensors", whole.substr(0, size))).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_TRUE(LoadSafetensors(dir.Write("w.safetensors", whole)).ok());
}

TEST(SafetensorsTest, RefusesALyingHeaderLength) {
  const TempDir dir;
  for (const uint64_t length :
       {uint64_t{3}, kMaxSafetensorsHeaderBytes + 1, kHuge, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    std::string bytes = Safetensors("{}", "");
    std::memcpy(bytes.data(), &length, sizeof(length));
    const auto status = LoadSafetensors(dir.Write("w.safetensors", bytes)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("says that its header has " + std::to_string(length)));
  }
}

TEST(SafetensorsTest, ReadsTheModelsOfTheTree) {
  const std::string root = ATTENDANT_SOURCE_DIR;
  auto shipped = LoadModelWeights(root + "/models/translate-en-de");
  ASSERT_TRUE(shipped.ok()) << shipped.status();
  EXPECT_TRUE(shipped->CheckAllFinite().ok());
  EXPECT_EQ(shipped->Require("model.shared.weight", {8002, 256}).value().dtype, DType::kF16);
  auto sharded = LoadModelWeights(root + "/tests/golden/tiny-separate");
  ASSERT_TRUE(sharded.ok()) << sharded.status();
  EXPECT_TRUE(sharded->Require("model.encoder.embed_tokens.weight", {79, 32}).ok());
  EXPECT_TRUE(sharded->Require("model.decoder.layers.1.fc2.bias", {32}).ok()) << "in the second shard";
}

TEST(SafetensorsTest, RefusesWhatIsNotAFile) {
  const TempDir dir;
  EXPECT_EQ(LoadSafetensors(dir.path()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(LoadSafetensors(dir.path() + "/none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadSafetensors("/dev/zero").status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace attendant
