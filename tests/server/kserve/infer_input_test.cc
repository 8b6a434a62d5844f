#include "server/kserve/infer_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace attendant::kserve {
namespace {

using inference::ModelInferRequest;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr InputRules kRules = {"text", /*max_elements=*/3, /*max_element_bytes=*/5};

ModelInferRequest WithShape(const std::vector<int64_t>& shape) {
  ModelInferRequest request;
  ModelInferRequest::InferInputTensor& input = *request.add_inputs();
  input.set_name("text");
  input.set_datatype("BYTES");
  input.mutable_shape()->Add(shape.begin(), shape.end());
  return request;
}

ModelInferRequest Raw(const std::vector<int64_t>& shape, const std::vector<std::string>& elements) {
  ModelInferRequest request = WithShape(shape);
  request.add_raw_input_contents(EncodeBytes(elements));
  return request;
}

ModelInferRequest Typed(const std::vector<int64_t>& shape, const std::vector<std::string>& elements) {
  ModelInferRequest request = WithShape(shape);
  for (const std::string& element : elements) {
    request.mutable_inputs(0)->mutable_contents()->add_bytes_contents(element);
  }
  return request;
}

std::string ErrorOf(ModelInferRequest request) {
  const absl::Status status = TakeInput(kRules, request).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

std::string ErrorAfter(const std::function<void(ModelInferRequest&)>& spoil) {
  ModelInferRequest request = Raw({2}, {"a", "b"});
  spoil(request);
  return ErrorOf(request);
}

TEST(InferInputTest, TakesRawAndTypedInEitherShape) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{2}, {2, 1}}) {
    ModelInferRequest raw = Raw(shape, {"a", "\xff"});
    ModelInferRequest typed = Typed(shape, {"a", "\xff"});
    const auto from_raw = TakeInput(kRules, raw);
    const auto from_typed = TakeInput(kRules, typed);
    ASSERT_TRUE(from_raw.ok() && from_typed.ok());
    EXPECT_THAT(from_raw->elements, ElementsAre("a", "\xff"));
    EXPECT_EQ(from_raw->form, TensorForm::kRaw);
    EXPECT_THAT(from_typed->elements, ElementsAre("a", "\xff"));
    EXPECT_EQ(from_typed->form, TensorForm::kTyped);
  }
}

TEST(InferInputTest, OtherInputsAreInvalid) {
  EXPECT_THAT(ErrorOf({}), HasSubstr("inputs: there are 0; the model takes one, \"text\""));
  EXPECT_THAT(ErrorAfter([](auto& r) { *r.add_inputs() = r.inputs(0); }), HasSubstr("inputs: there are 2"));
  EXPECT_THAT(ErrorAfter([](auto& r) { r.mutable_inputs(0)->set_name("image"); }),
              HasSubstr("inputs[0].name"));
  for (const char* type : {"", "FP32", "bytes", "STRING"}) {
    EXPECT_THAT(ErrorAfter([&](auto& r) { r.mutable_inputs(0)->set_datatype(type); }),
                HasSubstr("inputs[0].datatype"));
  }
  EXPECT_THAT(ErrorAfter([](auto& r) {
                (*r.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("x");
              }),
              HasSubstr("inputs[0].parameters"));
}

TEST(InferInputTest, OtherShapesAreInvalid) {
  const auto error = [](const std::vector<int64_t>& shape) { return ErrorOf(Raw(shape, {"a", "b"})); };
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{},
                                            {-2},
                                            {2, -1},
                                            {-2, -1},
                                            {1, 2},
                                            {2, 1, 1},
                                            {2, 2},
                                            {0},
                                            {0, 1},
                                            {2, 0},
                                            {int64_t{1} << 62, 8}}) {
    EXPECT_THAT(error(shape), HasSubstr("inputs[0].shape"));
  }
}

TEST(InferInputTest, ContentsMustBeOfTheShape) {
  EXPECT_THAT(ErrorOf(Raw({3}, {"a", "b"})), HasSubstr("raw_input_contents[0]: has 2 elements, its shape 3"));
  EXPECT_THAT(ErrorOf(Raw({1}, {"a", "b"})), HasSubstr("raw_input_contents[0]: has 5 bytes after"));
  EXPECT_THAT(ErrorOf(Typed({3}, {"a", "b"})), HasSubstr("bytes_contents: has 2 elements, its shape 3"));
  EXPECT_THAT(ErrorOf(Typed({1}, {"a", "b"})), HasSubstr("bytes_contents: has 2 elements, its shape 1"));
  EXPECT_THAT(ErrorOf(WithShape({1})), HasSubstr("bytes_contents: has 0 elements, its shape 1"));
}

TEST(InferInputTest, ContentsComeInOneFormOnly) {
  EXPECT_THAT(ErrorAfter([](auto& r) { r.mutable_inputs(0)->mutable_contents()->add_bytes_contents("a"); }),
              HasSubstr("together with raw_input_contents"));
  EXPECT_THAT(ErrorAfter([](auto& r) { r.add_raw_input_contents(""); }),
              HasSubstr("raw_input_contents: there are 2, and 1 input"));
  ModelInferRequest typed = Typed({1}, {"a"});
  typed.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  EXPECT_THAT(ErrorOf(typed), HasSubstr("bytes_contents, and nowhere else"));
}

TEST(InferInputTest, ElementsHaveALimit) {
  for (const int count : {2, 3, 4}) {
    ModelInferRequest request = Raw({count}, std::vector<std::string>(static_cast<size_t>(count), "a"));
    EXPECT_EQ(TakeInput(kRules, request).ok(), count <= 3) << count;
  }
  EXPECT_THAT(ErrorOf(Raw({4}, {"a", "b", "c", "d"})), HasSubstr("4 elements are more than the limit of 3"));
}

TEST(InferInputTest, BytesOfAnElementHaveALimit) {
  for (const size_t bytes : {4, 5, 6}) {
    ModelInferRequest request = Typed({2}, {"a", std::string(bytes, 'b')});
    EXPECT_EQ(TakeInput(kRules, request).ok(), bytes <= 5) << bytes;
  }
  EXPECT_THAT(ErrorOf(Raw({2}, {"a", "bbbbbb"})), HasSubstr("text[1]: 6 bytes are more than the limit of 5"));
}

}  // namespace
}  // namespace attendant::kserve
