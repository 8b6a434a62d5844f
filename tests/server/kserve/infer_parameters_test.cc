#include "server/kserve/infer_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "server/kserve/parameter_value.h"
#include "tests/server/scripted_translator.h"

namespace attendant::kserve {
namespace {

using inference::InferParameter;
using testing::HasSubstr;

InferParameter Integer(int64_t value) {
  InferParameter parameter;
  parameter.set_int64_param(value);
  return parameter;
}
InferParameter Unsigned(uint64_t value) {
  InferParameter parameter;
  parameter.set_uint64_param(value);
  return parameter;
}
InferParameter Double(double value) {
  InferParameter parameter;
  parameter.set_double_param(value);
  return parameter;
}
InferParameter Bool(bool value) {
  InferParameter parameter;
  parameter.set_bool_param(value);
  return parameter;
}
InferParameter Text(const std::string& value) {
  InferParameter parameter;
  parameter.set_string_param(value);
  return parameter;
}

class InferParametersTest : public testing::Test {
 protected:
  InferParametersTest() { model_.translator = std::make_shared<ScriptedTranslator>("en", "de"); }

  absl::StatusOr<InferParameters> Read(const std::map<std::string, InferParameter>& parameters) {
    inference::ModelInferRequest request;
    request.mutable_parameters()->insert(parameters.begin(), parameters.end());
    return ReadParameters(request, model_);
  }
  std::string ErrorOf(const std::string& name, const InferParameter& value) {
    const absl::Status status = Read({{name, value}}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << " " << status;
    return std::string(status.message());
  }

  EngineModel model_;
};

TEST_F(InferParametersTest, NothingGivenIsNothingSet) {
  const auto read = Read({});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->priority, 0);
  EXPECT_FALSE(read->timeout.has_value());
  EXPECT_FALSE(read->translation.beam_size.has_value());
}

TEST_F(InferParametersTest, OptionsOfTheTranslationHaveTheirNames) {
  const auto read = Read({{"beam_size", Integer(4)},
                          {"num_hypotheses", Unsigned(3)},
                          {"length_penalty", Double(1.5)},
                          {"patience", Integer(2)},
                          {"sample", Bool(false)},
                          {"seed", Unsigned(std::numeric_limits<uint64_t>::max())},
                          {"max_length", Integer(20)},
                          {"target_prefix", Text("Ja")},
                          {"suppress_sequences", Text("nein")},
                          {"split", Text("none")},
                          {"replace_unknowns", Bool(true)}});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->translation.beam_size, 4);
  EXPECT_EQ(read->translation.num_hypotheses, 3);
  EXPECT_EQ(read->translation.length_penalty, 1.5F);
  EXPECT_EQ(read->translation.patience, 2.0F);
  EXPECT_EQ(read->translation.sample, false);
  EXPECT_EQ(read->translation.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(read->translation.max_length, 20);
  EXPECT_EQ(read->translation.target_prefix, "Ja");
  EXPECT_THAT(read->translation.suppress_sequences, testing::ElementsAre("nein"));
  EXPECT_EQ(read->translation.split, TranslationOptions::Split::kNone);
  EXPECT_TRUE(read->translation.replace_unknowns);
}

TEST_F(InferParametersTest, UnknownOnesAreNamed) {
  EXPECT_THAT(ErrorOf("beam_width", Integer(4)), HasSubstr("parameters.beam_width: the model knows no such"));
  EXPECT_THAT(ErrorOf("", Integer(4)), HasSubstr("no such parameter"));
  EXPECT_THAT(ErrorOf("sequence_id", Integer(4)), HasSubstr("parameters.sequence_id"));
  EXPECT_THAT(ErrorOf("return_alignment", Bool(true)), HasSubstr("no such parameter")) << "no tensor has it";
  EXPECT_THAT(ErrorOf("dimensions", Integer(4)), HasSubstr("no such parameter")) << "it does not embed";
  EXPECT_LT(ErrorOf(std::string(60'000, 'n'), Integer(4)).size(), 200U);
}

TEST_F(InferParametersTest, OtherTypesAreInvalid) {
  for (const InferParameter& value : {Double(4), Bool(true), Text("4"), InferParameter()}) {
    EXPECT_THAT(ErrorOf("beam_size", value), HasSubstr("parameters.beam_size: is not a whole number"));
    EXPECT_THAT(ErrorOf("priority", value), HasSubstr("parameters.priority"));
    EXPECT_THAT(ErrorOf("timeout", value), HasSubstr("parameters.timeout"));
    EXPECT_THAT(ErrorOf("seed", value), HasSubstr("parameters.seed"));
  }
  for (const InferParameter& value : {Bool(true), Text("4"), InferParameter()}) {
    EXPECT_THAT(ErrorOf("length_penalty", value), HasSubstr("parameters.length_penalty: is not a number"));
  }
  for (const InferParameter& value : {Integer(1), Text("true"), Double(1)}) {
    EXPECT_THAT(ErrorOf("sample", value), HasSubstr("parameters.sample: is not true or false"));
  }
  for (const InferParameter& value : {Integer(1), Bool(true), Double(1)}) {
    EXPECT_THAT(ErrorOf("target_prefix", value), HasSubstr("parameters.target_prefix: is not a text"));
    EXPECT_THAT(ErrorOf("split", value), HasSubstr("parameters.split: is not a text"));
  }
  EXPECT_THAT(ErrorOf("split", Text("lines")), HasSubstr("neither"));
}

TEST_F(InferParametersTest, ValuesOutOfRangeAreInvalid) {
  for (const int beam : {-1, 0, 1, 31, 32, 33}) {
    const bool is_good = beam >= 1 && beam <= 32;
    EXPECT_EQ(Read({{"beam_size", Integer(beam)}}).ok(), is_good) << beam;
  }
  EXPECT_THAT(ErrorOf("beam_size", Integer(33)), HasSubstr("parameters.beam_size: 33"));
  constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
  EXPECT_TRUE(Read({{"max_length", Integer(kMaxInt32)}}).ok());
  EXPECT_FALSE(Read({{"max_length", Integer(kMaxInt32 + 1)}}).ok()) << "not cut to 32 bits";
  EXPECT_FALSE(Read({{"beam_size", Integer((int64_t{1} << 32) + 4)}}).ok());
  EXPECT_FALSE(Read({{"beam_size", Unsigned(std::numeric_limits<uint64_t>::max())}}).ok());
  EXPECT_FALSE(Read({{"seed", Integer(-1)}}).ok());
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), 1e300, -1e300, std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(ErrorOf("length_penalty", Double(value)), HasSubstr("parameters.length_penalty"));
  }
}

TEST_F(InferParametersTest, PriorityCountsAsTritonDoes) {
  const std::pair<int, int> levels[] = {{0, 0}, {1, 10}, {2, 9}, {10, 1}, {11, 0}, {20, -9}, {21, -10}};
  for (const auto& [level, priority] : levels) {
    EXPECT_EQ(Read({{"priority", Unsigned(static_cast<uint64_t>(level))}})->priority, priority) << level;
    EXPECT_EQ(Read({{"priority", Integer(level)}})->priority, priority) << level;
  }
  EXPECT_FALSE(Read({{"priority", Integer(-1)}}).ok());
  EXPECT_FALSE(Read({{"priority", Integer(22)}}).ok());
}

TEST_F(InferParametersTest, TimeoutIsInMicroseconds) {
  EXPECT_EQ(Read({{"timeout", Integer(1500)}})->timeout, std::chrono::microseconds(1500));
  EXPECT_FALSE(Read({{"timeout", Integer(0)}})->timeout.has_value());
  EXPECT_FALSE(Read({{"timeout", Integer(-1)}}).ok());
  EXPECT_FALSE(Read({{"timeout", Integer(std::numeric_limits<int64_t>::max())}}).ok());
  constexpr int64_t kCentury = int64_t{100} * 365 * 24 * 3600 * 1'000'000;
  EXPECT_TRUE(Read({{"timeout", Integer(kCentury)}}).ok());
  EXPECT_FALSE(Read({{"timeout", Integer(kCentury + 1)}}).ok());
}

}  // namespace
}  // namespace attendant::kserve
