#include "server/kserve/requested_outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/kserve/scripted_image_model.h"
#include "tests/server/scripted_translator.h"

namespace attendant::kserve {
namespace {

using inference::InferParameter;
using inference::ModelInferRequest;
using testing::HasSubstr;

EngineModel TranslationModel() {
  EngineModel model;
  model.translator = std::make_shared<ScriptedTranslator>("en", "de");
  return model;
}

EngineModel ImageClassifier() {
  EngineModel model;
  model.image = std::make_shared<ScriptedImageModel>(std::vector<std::string>{"cat", "dog"});
  return model;
}

ModelInferRequest Asking(const std::vector<std::string>& names) {
  ModelInferRequest request;
  for (const std::string& name : names) request.add_outputs()->set_name(name);
  return request;
}

std::vector<std::string> NamesOf(const absl::StatusOr<std::vector<RequestedOutput>>& outputs) {
  std::vector<std::string> names;
  if (!outputs.ok()) return {std::string(outputs.status().message())};
  for (const RequestedOutput& output : *outputs) names.emplace_back(output.spec.name);
  return names;
}

TEST(RequestedOutputsTest, NoneNamedIsAllOfTheModel) {
  EXPECT_THAT(NamesOf(ReadOutputs({}, TranslationModel())), testing::ElementsAre("translation", "score"));
  EXPECT_THAT(NamesOf(ReadOutputs({}, ImageClassifier())),
              testing::ElementsAre("embedding", "logits", "probabilities"));
}

TEST(RequestedOutputsTest, ModelWithoutTensorsOfThisProtocolSaysSo) {
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadOutputs({}, EngineModel()).status()));
}

TEST(RequestedOutputsTest, NamedOnesComeInTheirOrder) {
  EXPECT_THAT(NamesOf(ReadOutputs(Asking({"probabilities", "embedding"}), ImageClassifier())),
              testing::ElementsAre("probabilities", "embedding"));
}

TEST(RequestedOutputsTest, UnknownAndRepeatedOnesAreInvalid) {
  const auto error = [](const std::vector<std::string>& names) {
    const absl::Status status = ReadOutputs(Asking(names), ImageClassifier()).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    return std::string(status.message());
  };
  EXPECT_THAT(
      error({"embedding", "translation"}),
      HasSubstr("outputs[1].name: the model has no such output; it has embedding, logits, probabilities"));
  EXPECT_THAT(error({""}), HasSubstr("outputs[0].name"));
  EXPECT_THAT(error({"logits", "logits"}), HasSubstr("outputs[1].name: logits is asked for twice"));
}

absl::StatusOr<std::vector<RequestedOutput>> WithParameter(const std::string& output, const std::string& name,
                                                           const InferParameter& value) {
  ModelInferRequest request = Asking({output});
  (*request.mutable_outputs(0)->mutable_parameters())[name] = value;
  return ReadOutputs(request, ImageClassifier());
}

TEST(RequestedOutputsTest, ClassificationIsAParameterOfClasses) {
  InferParameter count;
  for (const int64_t k : {0, 1, 2, 1'000'000, 1'000'001}) {
    count.set_int64_param(k);
    const auto outputs = WithParameter("logits", "classification", count);
    EXPECT_EQ(outputs.ok(), k >= 1 && k <= 1'000'000) << k;
    if (!outputs.ok()) continue;
    EXPECT_EQ(outputs->front().num_classes, k);
  }
  count.set_int64_param(1);
  EXPECT_THAT(NamesOf(WithParameter("embedding", "classification", count))[0], HasSubstr("has no classes"));
  EXPECT_THAT(NamesOf(WithParameter("logits", "shared_memory_region", count))[0],
              HasSubstr("outputs[0].parameters: there is none of this name"));
  count.set_string_param("1");
  EXPECT_THAT(NamesOf(WithParameter("logits", "classification", count))[0], HasSubstr("not a whole number"));
}

}  // namespace
}  // namespace attendant::kserve
