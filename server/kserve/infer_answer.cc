#include "server/kserve/infer_answer.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/tasks/class_scores.h"

namespace attendant::kserve {
namespace {

size_t NumHypotheses(const TranslationResult& result) {
  size_t count = 1;
  for (const SentenceTranslation& sentence : result.sentences) {
    count = std::max(count, sentence.hypotheses.size());
  }
  return count;
}

const SentenceHypothesis* HypothesisOrLast(const SentenceTranslation& sentence, size_t index) {
  if (sentence.hypotheses.empty()) return nullptr;
  return &sentence.hypotheses[std::min(index, sentence.hypotheses.size() - 1)];
}

std::string TextOf(const TranslationResult& result, size_t index) {
  if (index == 0) return result.text;
  std::string text;
  for (const SentenceTranslation& sentence : result.sentences) {
    const SentenceHypothesis* hypothesis = HypothesisOrLast(sentence, index);
    text += sentence.leading;
    if (hypothesis != nullptr) text += hypothesis->text;
    text += sentence.trailing;
  }
  return text;
}

float ScoreOf(const TranslationResult& result, size_t index) {
  double sum = 0;
  int count = 0;
  for (const SentenceTranslation& sentence : result.sentences) {
    const SentenceHypothesis* hypothesis = HypothesisOrLast(sentence, index);
    if (hypothesis == nullptr) continue;
    sum += hypothesis->score;
    ++count;
  }
  return count == 0 ? 0 : static_cast<float>(sum / count);
}

// The shortest decimal that reads back as the same float.
std::string Decimal(float value) {
  char buffer[32];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value).ptr;
  return {buffer, end};
}

absl::Span<const float> ValuesOf(const ElementAnswer& answer, Output output) {
  switch (output) {
    case Output::kEmbedding:
      return answer.embedding;
    case Output::kLogits:
      return answer.logits;
    case Output::kProbabilities:
      return answer.probabilities;
    case Output::kTranslation:
    case Output::kScore:
      break;
  }
  return {};
}

OutputTensor MakeClassification(const RequestedOutput& output, absl::Span<const ElementAnswer> answers,
                                absl::Span<const std::string> labels) {
  std::vector<std::string> elements;
  for (const ElementAnswer& answer : answers) {
    const absl::Span<const float> values = ValuesOf(answer, output.spec.output);
    for (const int32_t index : TopIndices(values, output.num_classes)) {
      const auto at = static_cast<size_t>(index);
      elements.push_back(absl::StrCat(Decimal(values[at]), ":", index, ":", labels[at]));
    }
  }
  const int64_t count = std::min<int64_t>(output.num_classes, output.spec.dim);
  return {std::string(output.spec.name), {static_cast<int64_t>(answers.size()), count}, std::move(elements)};
}

OutputTensor MakeTranslation(const RequestedOutput& output, absl::Span<const ElementAnswer> answers,
                             int32_t num_hypotheses) {
  std::vector<std::string> texts;
  std::vector<float> scores;
  for (const ElementAnswer& answer : answers) {
    TextHypotheses hypotheses = HypothesesOf(answer.translation, num_hypotheses);
    std::move(hypotheses.texts.begin(), hypotheses.texts.end(), std::back_inserter(texts));
    scores.insert(scores.end(), hypotheses.scores.begin(), hypotheses.scores.end());
  }
  OutputTensor tensor{
      std::string(output.spec.name), {static_cast<int64_t>(answers.size()), num_hypotheses}, {}};
  if (output.spec.output == Output::kTranslation) {
    tensor.elements = std::move(texts);
  } else {
    tensor.elements = std::move(scores);
  }
  return tensor;
}

}  // namespace

TextHypotheses HypothesesOf(const TranslationResult& result, int32_t count) {
  const size_t found = NumHypotheses(result);
  TextHypotheses hypotheses;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const bool is_there = i < found;
    hypotheses.texts.push_back(is_there ? TextOf(result, i) : "");
    hypotheses.scores.push_back(is_there ? ScoreOf(result, i) : -std::numeric_limits<float>::infinity());
  }
  return hypotheses;
}

OutputTensor MakeOutput(const RequestedOutput& output, absl::Span<const ElementAnswer> answers,
                        absl::Span<const std::string> labels, int32_t num_hypotheses) {
  if (output.spec.output == Output::kTranslation || output.spec.output == Output::kScore) {
    return MakeTranslation(output, answers, num_hypotheses);
  }
  if (output.num_classes > 0) return MakeClassification(output, answers, labels);
  std::vector<float> elements;
  for (const ElementAnswer& answer : answers) {
    const absl::Span<const float> values = ValuesOf(answer, output.spec.output);
    elements.insert(elements.end(), values.begin(), values.end());
  }
  const auto batch = static_cast<int64_t>(answers.size());
  const auto dim = static_cast<int64_t>(elements.size()) / batch;  // `dimensions` may have made it smaller.
  return {std::string(output.spec.name), {batch, dim}, std::move(elements)};
}

}  // namespace attendant::kserve
