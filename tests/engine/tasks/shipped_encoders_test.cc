// The one-pass models that ship, against what transformers answers in float32
// (tests/golden/shipped_encoders.py).

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/tasks/image_model.h"
#include "engine/tasks/text_model.h"
#include "tests/engine/scheduler/toy_jobs.h"

namespace attendant {
namespace {

const std::string kTree = ATTENDANT_SOURCE_DIR;

EncodePipelineOptions OneWorker() {
  EncodePipelineOptions options;
  options.num_workers = 1;
  return options;
}

nlohmann::json CasesOf(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(kTree + "/tests/golden/" + name + ".json"))["cases"];
}

class ShippedEncodersTest : public testing::Test {
 protected:
  void Load(const std::string& name) {
    auto model = TextModel::Load(kTree + "/models/" + name, OneWorker(), observer_, Clock::Real());
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
    cases_ = CasesOf(name);
    ASSERT_FALSE(cases_.empty());
  }
  TextEmbedding Embed(const std::string& text) { return Ask(&TextModel::Embed, text); }
  TextClasses Classify(const std::string& text) { return Ask(&TextModel::Classify, text); }

  CountingObserver observer_;
  std::shared_ptr<TextModel> model_;
  nlohmann::json cases_;

 private:
  template <typename Request, typename Answer>
  Answer Ask(CancelHandle (TextModel::*method)(Request, TextModel::Done<Answer>), const std::string& text) {
    Request request;
    request.text = text;
    std::promise<absl::StatusOr<Answer>> answer;
    ((*model_).*method)(std::move(request),
                        [&answer](absl::StatusOr<Answer> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get().value();
  }
};

void ExpectClasses(const std::vector<float>& logits, const std::vector<std::string>& labels,
                   const nlohmann::json& example) {
  const auto expected = example["logits"].get<std::vector<float>>();
  ASSERT_EQ(logits.size(), expected.size());
  const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
  EXPECT_EQ(labels[static_cast<size_t>(best)], example["label"].get<std::string>());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(logits[i], expected[i], 1e-4 * (1 + std::abs(expected[i]))) << example;
  }
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

TEST_F(ShippedEncodersTest, EmbeddingsAreThoseOfTransformers) {
  ASSERT_NO_FATAL_FAILURE(Load("embed-en-de"));
  for (const auto& example : cases_) {
    const auto expected = example["embedding"].get<std::vector<float>>();
    const TextEmbedding answer = Embed(example["text"]);
    EXPECT_EQ(answer.truncated, example["text"].get<std::string>().size() > 900) << "one has 200 words";
    ASSERT_EQ(answer.values.size(), expected.size());
    EXPECT_GE(Cosine(answer.values, expected), 0.999999) << example["text"];
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(answer.values[i], expected[i], 1e-5);
  }
}

TEST_F(ShippedEncodersTest, TranslationsLieCloserThanOtherSentences) {
  ASSERT_NO_FATAL_FAILURE(Load("embed-en-de"));
  const auto english = Embed("Where did you buy this book?").values;
  const auto german = Embed("Wo hast du dieses Buch gekauft?").values;
  const auto other = Embed("Morgen wird es regnen.").values;
  EXPECT_GT(Cosine(english, german), Cosine(english, other) + 0.2);
}

TEST_F(ShippedEncodersTest, ClassesAreThoseOfTransformers) {
  ASSERT_NO_FATAL_FAILURE(Load("classify-language"));
  for (const auto& example : cases_) {
    const TextClasses answer = Classify(example["text"]);
    ExpectClasses(answer.logits, model_->info().encoder.labels, example);
  }
}

TEST_F(ShippedEncodersTest, PicturesClassesAreThoseOfTransformers) {
  const auto model = ImageModel::Load(kTree + "/models/classify-cifar10", OneWorker(), ImageLimits(),
                                      observer_, Clock::Real());
  ASSERT_TRUE(model.ok()) << model.status();
  const nlohmann::json cases = CasesOf("classify-cifar10");
  ASSERT_FALSE(cases.empty());
  for (const auto& example : cases) {
    ClassifyImageRequest request;
    const std::string path = kTree + "/tests/golden/images/" + example["file"].get<std::string>();
    request.file_bytes = *ReadTextFile(path, 1 << 20);
    std::promise<absl::StatusOr<ImageClasses>> done;
    (*model)->Classify(std::move(request),
                       [&done](absl::StatusOr<ImageClasses> result) { done.set_value(std::move(result)); });
    ExpectClasses(done.get_future().get().value().logits, (*model)->info().encoder.labels, example);
  }
}

}  // namespace
}  // namespace attendant
