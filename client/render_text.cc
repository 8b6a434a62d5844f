#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/render.h"

namespace attendant::client {
namespace {

constexpr absl::string_view kEndMark = "</s>";

void AppendTokenScores(const v1::Hypothesis& hypothesis, std::string& text) {
  text += "\t\t";
  for (int i = 0; i < hypothesis.token_scores_size(); ++i) {
    const absl::string_view token = i < hypothesis.tokens_size() ? hypothesis.tokens(i) : kEndMark;
    absl::StrAppendFormat(&text, "\t%s %.4f", token, hypothesis.token_scores(i));
  }
  text += '\n';
}

void AppendHypotheses(const TextResult& result, int sentence_index, const TextFormat& format,
                      std::string& text) {
  const v1::SentenceTranslation& sentence = result.translation.sentences(sentence_index);
  const int count = format.n_best ? sentence.hypotheses_size() : std::min(1, sentence.hypotheses_size());
  for (int rank = 0; rank < count; ++rank) {
    const v1::Hypothesis& hypothesis = sentence.hypotheses(rank);
    absl::StrAppendFormat(&text, "%d.%d\t%d\t%.4f\t%s\n", result.source.number, sentence_index + 1, rank + 1,
                          hypothesis.score(), hypothesis.text());
    if (format.scores) AppendTokenScores(hypothesis, text);
  }
}

void AppendHeatMap(const v1::SentenceTranslation& sentence, const TerminalStyle& style, std::string& text) {
  const absl::StatusOr<HeatMap> map = MakeHeatMap(sentence);
  absl::StrAppend(&text, "\n", map.ok() ? RenderTerminal(*map, style) : std::string(map.status().message()),
                  "\n");
}

}  // namespace

std::string RenderText(const TextResult& result, const TextFormat& format) {
  std::string text;
  const bool as_list = format.scores || format.n_best;
  if (!result.status.ok() || !as_list || result.translation.sentences().empty()) {
    text = result.translation.translated_text();
    // A whole text may bring its own last line break.
    if (text.empty() || text.back() != '\n') text += '\n';
  }
  for (int i = 0; i < result.translation.sentences_size(); ++i) {
    if (as_list) AppendHypotheses(result, i, format, text);
    if (format.alignment) AppendHeatMap(result.translation.sentences(i), format.style, text);
  }
  return text;
}

}  // namespace attendant::client
