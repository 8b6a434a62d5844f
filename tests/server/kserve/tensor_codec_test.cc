#include "server/kserve/tensor_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace attendant::kserve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

std::string MessageOf(const absl::Status& status) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(TensorCodecTest, ElementsAreTheProductOfTheDimensions) {
  EXPECT_EQ(*NumElements({7}), 7);
  EXPECT_EQ(*NumElements({3, 1}), 3);
  EXPECT_EQ(*NumElements({3, 0, 5}), 0);
  EXPECT_EQ(*NumElements({kMaxInt64}), kMaxInt64);
  EXPECT_EQ(*NumElements({int64_t{1} << 31, int64_t{1} << 31}), int64_t{1} << 62);
}

TEST(TensorCodecTest, ShapesThatAreNoneAreInvalid) {
  EXPECT_THAT(MessageOf(NumElements({}).status()), HasSubstr("no dimensions"));
  EXPECT_THAT(MessageOf(NumElements({-1}).status()), HasSubstr("-1 is negative"));
  EXPECT_THAT(MessageOf(NumElements({0, -5}).status()), HasSubstr("-5 is negative"));
  EXPECT_THAT(MessageOf(NumElements({std::numeric_limits<int64_t>::min()}).status()), HasSubstr("negative"));
}

TEST(TensorCodecTest, ProductBeyondAnInt64IsInvalid) {
  EXPECT_THAT(MessageOf(NumElements({int64_t{1} << 32, int64_t{1} << 31}).status()),
              HasSubstr("more elements"));
  EXPECT_THAT(MessageOf(NumElements({kMaxInt64, 2}).status()), HasSubstr("more elements"));
  EXPECT_TRUE(NumElements({kMaxInt64, 1}).ok());
  // 2^64 wraps around to 0, and 2^64 + 4 to 4.
  EXPECT_FALSE(NumElements({int64_t{1} << 32, int64_t{1} << 32}).ok());
  EXPECT_FALSE(NumElements({(int64_t{1} << 62) + 1, 4}).ok());
}

TEST(TensorCodecTest, BytesComeBackAsTheyWere) {
  const std::vector<std::string> elements = {"Hello", "", std::string("\0\xff", 2), std::string(300, 'x')};
  const std::string raw = EncodeBytes(elements);
  EXPECT_EQ(raw.substr(0, 9), std::string("\x05\0\0\0Hello", 9));
  EXPECT_EQ(raw.size(), 4 * 4 + 5 + 0 + 2 + 300);
  EXPECT_EQ(*DecodeBytes(raw, 4), elements);
  EXPECT_TRUE(DecodeBytes("", 0)->empty());
}

TEST(TensorCodecTest, EveryTruncationIsInvalid) {
  const std::string raw = EncodeBytes({"Hello", "you"});
  for (size_t length = 0; length < raw.size(); ++length) {
    EXPECT_TRUE(absl::IsInvalidArgument(DecodeBytes(raw.substr(0, length), 2).status())) << length;
  }
}

TEST(TensorCodecTest, CountOfElementsMustBeThatOfTheShape) {
  const std::string raw = EncodeBytes({"a", "b", "c"});
  EXPECT_THAT(MessageOf(DecodeBytes(raw, 4).status()), HasSubstr("has 3 elements, its shape 4"));
  EXPECT_TRUE(DecodeBytes(raw, 3).ok());
  EXPECT_THAT(MessageOf(DecodeBytes(raw, 2).status()), HasSubstr("5 bytes after the 2 elements"));
}

TEST(TensorCodecTest, LengthsBeyondTheEndAreInvalid) {
  EXPECT_FALSE(DecodeBytes(std::string("\x02\0\0\0a", 5), 1).ok());
  EXPECT_FALSE(DecodeBytes(std::string("\xff\xff\xff\xff", 4), 1).ok());
  EXPECT_FALSE(DecodeBytes(std::string("\xff\xff\xff\xff"
                                       "aaaa",
                                       8),
                           1)
                   .ok());
}

TEST(TensorCodecTest, FloatsAreLittleEndianWords) {
  EXPECT_EQ(EncodeFloats({1.0F, -2.5F}), std::string("\x00\x00\x80\x3f\x00\x00\x20\xc0", 8));
  EXPECT_EQ(EncodeFloats({}), "");
}

TEST(TensorCodecTest, OutputsTakeTheFormOfTheRequest) {
  for (const TensorForm form : {TensorForm::kRaw, TensorForm::kTyped}) {
    inference::ModelInferResponse response;
    AddOutput({"words", {2, 1}, std::vector<std::string>{"a", "b"}}, form, response);
    AddOutput({"numbers", {1, 2}, std::vector<float>{1.5F, 2}}, form, response);
    ASSERT_EQ(response.outputs_size(), 2);
    EXPECT_EQ(response.outputs(0).name(), "words");
    EXPECT_EQ(response.outputs(0).datatype(), "BYTES");
    EXPECT_EQ(response.outputs(1).datatype(), "FP32");
    EXPECT_THAT(response.outputs(0).shape(), ElementsAre(2, 1));
    if (form == TensorForm::kRaw) {
      EXPECT_THAT(response.raw_output_contents(),
                  ElementsAre(EncodeBytes({"a", "b"}), EncodeFloats({1.5F, 2})));
      EXPECT_FALSE(response.outputs(0).has_contents());
    } else {
      EXPECT_EQ(response.raw_output_contents_size(), 0);
      EXPECT_THAT(response.outputs(0).contents().bytes_contents(), ElementsAre("a", "b"));
      EXPECT_THAT(response.outputs(1).contents().fp32_contents(), ElementsAre(1.5F, 2));
    }
  }
}

}  // namespace
}  // namespace attendant::kserve
