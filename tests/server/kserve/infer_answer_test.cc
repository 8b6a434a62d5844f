#include "server/kserve/infer_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace attendant::kserve {
namespace {

using testing::ElementsAre;

constexpr float kNone = -std::numeric_limits<float>::infinity();
using Strings = std::vector<std::string>;
using Floats = std::vector<float>;

SentenceTranslation Sentence(const std::vector<std::pair<std::string, float>>& hypotheses,
                             const std::string& trailing = "") {
  SentenceTranslation sentence;
  for (const auto& [text, score] : hypotheses) {
    sentence.hypotheses.emplace_back();
    sentence.hypotheses.back().text = text;
    sentence.hypotheses.back().score = score;
  }
  sentence.trailing = trailing;
  return sentence;
}

TEST(HypothesesTest, OfOneSentenceAreItsOwn) {
  TranslationResult result;
  result.text = " Ja.";
  result.sentences = {Sentence({{"Ja.", -0.3F}, {"Doch.", -0.7F}})};
  result.sentences[0].leading = " ";
  const TextHypotheses hypotheses = HypothesesOf(result, 3);
  EXPECT_THAT(hypotheses.texts, ElementsAre(" Ja.", " Doch.", ""));
  EXPECT_THAT(hypotheses.scores, ElementsAre(-0.3F, -0.7F, kNone));
}

TEST(HypothesesTest, OfSeveralSentencesAreMadeOfTheirs) {
  TranslationResult result;
  result.text = "A B";
  result.sentences = {Sentence({{"A", -1}, {"a", -2}}, " "), Sentence({{"B", -3}})};
  const TextHypotheses hypotheses = HypothesesOf(result, 2);
  EXPECT_THAT(hypotheses.texts, ElementsAre("A B", "a B"));
  EXPECT_THAT(hypotheses.scores, ElementsAre(-2, -2.5F));
}

TEST(HypothesesTest, OfATextWithoutSentencesAreItself) {
  TranslationResult result;
  result.text = " \n";
  EXPECT_THAT(HypothesesOf(result, 2).texts, ElementsAre(" \n", ""));
  EXPECT_THAT(HypothesesOf(result, 2).scores, ElementsAre(0, kNone));
}

RequestedOutput Wanting(Output output, const char* name, int64_t dim, int32_t num_classes = 0) {
  return {{output, name, "FP32", dim}, num_classes};
}

TEST(MakeOutputTest, RowsAreTheElements) {
  std::vector<ElementAnswer> answers(2);
  answers[0].embedding = {1, 2, 3};
  answers[1].embedding = {4, 5, 6};
  const OutputTensor tensor = MakeOutput(Wanting(Output::kEmbedding, "embedding", 3), answers, {}, 1);
  EXPECT_THAT(tensor.shape, ElementsAre(2, 3));
  EXPECT_THAT(std::get<Floats>(tensor.elements), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(MakeOutputTest, ClassesComeLikeliestFirstAndNoMoreThanThereAre) {
  std::vector<ElementAnswer> answers(1);
  answers[0].logits = {0.1F, 10, -2};
  const Strings labels = {"apple", "pear:x", "plum"};
  const OutputTensor two = MakeOutput(Wanting(Output::kLogits, "logits", 3, 2), answers, labels, 1);
  EXPECT_THAT(two.shape, ElementsAre(1, 2));
  EXPECT_THAT(std::get<Strings>(two.elements), ElementsAre("10:1:pear:x", "0.1:0:apple"));
  const OutputTensor all = MakeOutput(Wanting(Output::kLogits, "logits", 3, 9), answers, labels, 1);
  EXPECT_THAT(all.shape, ElementsAre(1, 3));
}

TEST(MakeOutputTest, ValuesOfClassesReadBackExactly) {
  std::vector<ElementAnswer> answers(1);
  answers[0].probabilities = {1.0F / 3, 1e-20F};
  const Strings labels = {"a", "b"};
  const OutputTensor tensor =
      MakeOutput(Wanting(Output::kProbabilities, "probabilities", 2, 2), answers, labels, 1);
  const auto& elements = std::get<Strings>(tensor.elements);
  EXPECT_EQ(std::stof(elements[0]), 1.0F / 3);
  EXPECT_EQ(std::stof(elements[1]), 1e-20F);
}

TEST(MakeOutputTest, TranslationsAndScoresHaveTheSameShape) {
  std::vector<ElementAnswer> answers(2);
  for (ElementAnswer& answer : answers) answer.translation.sentences = {Sentence({{"x", -1}})};
  const OutputTensor texts = MakeOutput(Wanting(Output::kTranslation, "translation", -1), answers, {}, 2);
  const OutputTensor scores = MakeOutput(Wanting(Output::kScore, "score", -1), answers, {}, 2);
  EXPECT_THAT(texts.shape, ElementsAre(2, 2));
  EXPECT_EQ(texts.shape, scores.shape);
  EXPECT_EQ(std::get<Strings>(texts.elements).size(), 4U);
  EXPECT_THAT(std::get<Floats>(scores.elements), ElementsAre(-1, kNone, -1, kNone));
}

}  // namespace
}  // namespace attendant::kserve
