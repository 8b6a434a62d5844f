#include "client/label_render.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/grpc_status.h"
#include "client/json_values.h"
#include "client/utf8.h"

namespace attendant::client {
namespace {

constexpr int kGapColumns = 2;

std::string OneWordEach(const v1::TokenLabels& labels) {
  std::string line;
  for (const v1::LabelledSpan& word : labels.words()) {
    absl::StrAppend(&line, line.empty() ? "" : " ", PrintableLabel(word.text()), "/",
                    PrintableLabel(word.label()));
  }
  return line + "\n";
}

std::string Padded(std::string cell, int columns) {
  cell.append(static_cast<size_t>(std::max(0, columns - DisplayWidth(cell))), ' ');
  return cell;
}

std::string WithoutTrailingSpaces(std::string line) {
  line.resize(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

// Two lines for as many words as fit, and so on.
std::string Interlinear(const v1::TokenLabels& labels, int columns) {
  std::string text;
  std::string words;
  std::string marks;
  int used = 0;
  const auto flush = [&] {
    text += WithoutTrailingSpaces(words) + WithoutTrailingSpaces(marks);
    words.clear();
    marks.clear();
    used = 0;
  };
  for (const v1::LabelledSpan& span : labels.words()) {
    const std::string word = PrintableLabel(span.text(), columns);
    const std::string mark = PrintableLabel(span.label(), columns);
    const int width = std::max(DisplayWidth(word), DisplayWidth(mark));
    if (used > 0 && used + width > columns) flush();
    words += Padded(word, width + kGapColumns);
    marks += Padded(mark, width + kGapColumns);
    used += width + kGapColumns;
  }
  flush();
  return text;
}

Json SpanJson(const v1::LabelledSpan& span) {
  return {{"text", span.text()},
          {"label", span.label()},
          {"probability", Number(span.probability())},
          {"begin_byte", span.begin_byte()},
          {"end_byte", span.end_byte()}};
}

template <typename Spans>
Json SpansJson(const Spans& spans) {
  Json json = Json::array();
  for (const v1::LabelledSpan& span : spans) json.push_back(SpanJson(span));
  return json;
}

}  // namespace

std::string RenderText(const TextLabels& result, const LabelFormat& format) {
  if (!result.status.ok()) return "\n";
  std::string text =
      format.for_terminal ? Interlinear(result.answer, format.columns) : OneWordEach(result.answer);
  for (const v1::LabelledSpan& entity : result.answer.entities()) {
    absl::StrAppend(&text, "\t", PrintableLabel(entity.label()), "\t", PrintableLabel(entity.text()),
                    absl::StrFormat("\t%.4f\n", entity.probability()));
  }
  if (format.for_terminal) text += '\n';
  return text;
}

std::string RenderJson(const TextLabels& result) {
  Json json = {{"number", result.source.number}, {"text", result.source.text}};
  if (!result.status.ok()) {
    json["error"] = ErrorJson(WithoutIndex(result.status));
    return OneLine(json);
  }
  json["model"] = result.model;
  json["words"] = SpansJson(result.answer.words());
  json["entities"] = SpansJson(result.answer.entities());
  json["tokens"] = result.answer.tokens();
  json["truncated"] = result.answer.truncated();
  json["timing_ms"] = TimingJson(result.answer.timing());
  return OneLine(json);
}

}  // namespace attendant::client
