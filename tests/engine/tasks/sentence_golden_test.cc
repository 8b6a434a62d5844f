// Whole directories of sentence-transformers against its own encode() (tests/golden/make_sentence_golden.py).

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/tasks/text_model.h"
#include "tests/engine/scheduler/toy_jobs.h"

namespace attendant {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const fs::path kGolden = fs::path(ATTENDANT_SOURCE_DIR) / "tests/golden/sentence_transformers";

class SentenceGoldenTest : public testing::TestWithParam<std::string> {};

EmbedTextRequest RequestOf(const json& example) {
  EmbedTextRequest request;
  request.text = example["text"];
  request.prompt = example["prompt"];
  request.dimensions = example["dimensions"];
  if (example.contains("normalize")) request.normalize = example["normalize"].get<bool>();
  return request;
}

absl::StatusOr<TextEmbedding> AskForEmbedding(TextModel& model, EmbedTextRequest request) {
  std::promise<absl::StatusOr<TextEmbedding>> answer;
  model.Embed(std::move(request),
              [&answer](absl::StatusOr<TextEmbedding> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

// The largest difference relative to the largest value.
double RelativeDifference(const std::vector<float>& actual, const std::vector<float>& expected) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(double{expected[i]}));
    difference = std::max(difference, std::abs(double{actual[i]} - expected[i]));
  }
  return difference / largest;
}

TEST_P(SentenceGoldenTest, EmbeddingsAreThoseOfSentenceTransformers) {
  const fs::path dir = kGolden / GetParam();
  EncodePipelineOptions options;
  options.num_workers = 1;
  CountingObserver observer;
  const auto model = TextModel::Load(dir, options, observer, Clock::Real());
  ASSERT_TRUE(model.ok()) << model.status();
  const json cases = json::parse(std::ifstream(dir / "golden.json"))["cases"];
  ASSERT_GE(cases.size(), 10U);
  double worst = 0;
  for (const json& example : cases) {
    SCOPED_TRACE(example["prompt"].dump() + " before " + example["text"].dump());
    const auto expected = example["embedding"].get<std::vector<float>>();
    const auto answer = AskForEmbedding(**model, RequestOf(example));
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->tokens, example["tokens"].get<int32_t>());
    ASSERT_EQ(answer->values.size(), expected.size());
    const double difference = RelativeDifference(answer->values, expected);
    EXPECT_LE(difference, 1e-5);
    worst = std::max(worst, difference);
  }
  RecordProperty("worst_relative_difference", std::to_string(worst * 1e6) + "e-6");
}

std::vector<std::string> GoldenDirs() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(kGolden)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Directories, SentenceGoldenTest, testing::ValuesIn(GoldenDirs()),
                         [](const testing::TestParamInfo<std::string>& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace attendant
