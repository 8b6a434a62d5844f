#include "server/kserve/infer_structure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/grpc_status.h"
#include "server/message.h"

namespace attendant::kserve {
namespace {

using inference::ModelInferRequest;
using testing::HasSubstr;

InferLimits SmallLimits() {
  InferLimits limits;
  limits.max_bytes = 1 << 20;
  limits.max_elements = 3;
  limits.max_inputs = 2;
  limits.max_outputs = 2;
  limits.max_parameters = 2;
  limits.max_other_fields = 20;
  limits.max_other_bytes = 200;
  return limits;
}

absl::Status Check(const ModelInferRequest& request, const InferLimits& limits = SmallLimits()) {
  return CheckInferStructure(request.SerializeAsString(), limits);
}

// Passes as long as there are no more than `limit`, and names `field` beyond.
template <typename Add>
void ExpectLimit(int limit, const std::string& field, Add add) {
  ModelInferRequest request;
  for (int count = 1; count <= limit + 1; ++count) {
    add(request, count);
    const absl::Status status = Check(request);
    if (count <= limit) {
      EXPECT_TRUE(status.ok()) << field << " " << count << " " << status;
      continue;
    }
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << field;
    EXPECT_EQ(ReasonOf(status), RejectReason::kStructure);
    EXPECT_THAT(std::string(status.message()), HasSubstr(field));
  }
}

TEST(InferStructureTest, EveryCountHasItsLimit) {
  ExpectLimit(2, "inputs: more than the limit of 2", [](ModelInferRequest& r, int) { r.add_inputs(); });
  ExpectLimit(2, "raw_input_contents: more than the limit of 2",
              [](ModelInferRequest& r, int) { r.add_raw_input_contents("x"); });
  ExpectLimit(2, "outputs: more than the limit of 2",
              [](ModelInferRequest& r, int) { r.add_outputs()->set_name("a"); });
  ExpectLimit(2, "parameters: more than the limit of 2", [](ModelInferRequest& r, int i) {
    (*r.mutable_parameters())[std::to_string(i)].set_bool_param(true);
  });
  ExpectLimit(3, "bytes_contents: more than the limit of 3", [](ModelInferRequest& r, int) {
    if (r.inputs().empty()) r.add_inputs();
    r.mutable_inputs(0)->mutable_contents()->add_bytes_contents("");
  });
}

TEST(InferStructureTest, ParametersOfInputsCountAsWell) {
  ModelInferRequest request;
  (*request.mutable_parameters())["a"].set_bool_param(true);
  (*request.add_inputs()->mutable_parameters())["b"].set_bool_param(true);
  EXPECT_TRUE(Check(request).ok());
  (*request.add_inputs()->mutable_parameters())["c"].set_bool_param(true);
  EXPECT_THAT(std::string(Check(request).message()), HasSubstr("parameters: more than"));
}

TEST(InferStructureTest, DataIsNotCountedAmongTheOtherBytes) {
  ModelInferRequest request;
  request.add_raw_input_contents(std::string(10'000, 'x'));
  request.add_inputs()->mutable_contents()->add_bytes_contents(std::string(10'000, 'x'));
  EXPECT_TRUE(Check(request).ok());
}

TEST(InferStructureTest, OtherBytesHaveALimit) {
  for (const int excess : {-1, 0, 1}) {
    ModelInferRequest request;
    request.set_id(std::string(static_cast<size_t>(200 - 2 + excess), 'i'));  // And two bytes of length.
    EXPECT_EQ(Check(request).ok(), excess <= 0) << excess;
  }
  ModelInferRequest request;
  request.add_inputs()->mutable_contents()->mutable_fp32_contents()->Resize(100, 1.0F);
  EXPECT_TRUE(absl::IsInvalidArgument(Check(request))) << "numbers are no data of any model here";
}

TEST(InferStructureTest, OtherFieldsHaveALimit) {
  for (const int excess : {-1, 0, 1}) {
    std::string bytes;
    for (int i = 0; i < 20 + excess; ++i) bytes += std::string("\x1a\x00", 2);  // id
    EXPECT_EQ(CheckInferStructure(bytes, SmallLimits()).ok(), excess <= 0) << excess;
  }
  std::string contents;
  for (int i = 0; i < 21; ++i) contents += std::string("\x2a\x00", 2);  // Empty `contents` of an input.
  const std::string input = std::string("\x2a", 1) + static_cast<char>(contents.size()) + contents;
  EXPECT_FALSE(CheckInferStructure(input, SmallLimits()).ok());
}

TEST(InferStructureTest, FourMebibytesOfEmptyInputsAreRefused) {
  std::string bytes;
  while (bytes.size() < 4 << 20) bytes += std::string("\x2a\x00", 2);
  const absl::Status status = CheckInferStructure(bytes, InferLimits{});
  EXPECT_THAT(std::string(status.message()), HasSubstr("inputs: more than the limit of 16"));
}

TEST(InferStructureTest, WhatFollowsAPassedLimitIsNotRead) {
  const std::string garbage = "\xff\xff\xff";
  std::string bytes;
  for (const int count : {1, 2, 3}) {
    bytes += std::string("\x2a\x00", 2);
    const std::string message(CheckInferStructure(bytes + garbage, SmallLimits()).message());
    EXPECT_THAT(message, HasSubstr(count <= 2 ? "not valid protobuf" : "inputs: more than")) << count;
  }
}

TEST(InferStructureTest, EveryTruncationOfAMessageIsInvalid) {
  ModelInferRequest request;
  request.set_model_name("m");
  ModelInferRequest::InferInputTensor& input = *request.add_inputs();
  input.set_name("text");
  input.add_shape(1);
  input.mutable_contents()->add_bytes_contents("Hello");
  const std::string bytes = request.SerializeAsString();
  ASSERT_TRUE(CheckInferStructure(bytes, SmallLimits()).ok());
  for (size_t length = 1; length < bytes.size(); ++length) {
    const bool is_whole_field = length == 3;  // The model's name.
    EXPECT_EQ(CheckInferStructure(bytes.substr(0, length), SmallLimits()).ok(), is_whole_field) << length;
  }
}

TEST(InferStructureTest, InnerLengthsBeyondTheMessageAreInvalid) {
  for (const char* bytes : {"\x2a\x05\x0a", "\x2a\x02\x2a\x05", "\x2a\xff\xff\xff\xff\x0f", "\x2b", "\x2c"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckInferStructure(bytes, SmallLimits()))) << bytes;
  }
}

TEST(InferStructureTest, ParsesWhatPasses) {
  ModelInferRequest request;
  request.set_model_name("m");
  const grpc::ByteBuffer buffer = SerializeMessage(request);
  const auto parsed = ParseInferRequest(buffer, SmallLimits());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->message.model_name(), "m");
  EXPECT_EQ(parsed->bytes, 3);
  InferLimits limits = SmallLimits();
  for (const int excess : {-1, 0, 1}) {
    limits.max_bytes = 3 - excess;
    EXPECT_EQ(ParseInferRequest(buffer, limits).ok(), excess <= 0);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(ParseInferRequest(buffer, limits).status()));
}

TEST(InferStructureTest, NamesThatAreNotUtf8AreInvalid) {
  const std::string bytes("\x0a\x01\xff", 3);
  const grpc::Slice slice(bytes);
  EXPECT_TRUE(
      absl::IsInvalidArgument(ParseInferRequest(grpc::ByteBuffer(&slice, 1), SmallLimits()).status()));
}

}  // namespace
}  // namespace attendant::kserve
