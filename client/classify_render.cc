#include "client/classify_render.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/grpc_status.h"
#include "client/json_values.h"
#include "client/utf8.h"

namespace attendant::client {
namespace {

constexpr int kMaxTextColumns = 72;

template <typename Answer>
std::string Lines(const Answer& answer, const std::string& name, const ClassifyFormat& format) {
  std::string text;
  if (format.for_terminal) absl::StrAppend(&text, name, "\n");
  for (const v1::Label& label : answer.labels()) {
    const std::string label_name = PrintableLabel(label.name());
    const bool has_logit = format.logits && label.index() >= 0 && label.index() < answer.logits_size();
    const float logit = has_logit ? answer.logits(label.index()) : 0;
    if (format.for_terminal) {
      absl::StrAppendFormat(&text, "  %.4f  %s", label.probability(),
                            has_logit ? absl::StrFormat("%10.4f  ", logit) : "");
      absl::StrAppend(&text, label_name, "\n");
    } else {
      absl::StrAppend(&text, name, "\t", label_name, absl::StrFormat("\t%.6f", label.probability()));
      if (has_logit) absl::StrAppendFormat(&text, "\t%.6f", logit);
      text += '\n';
    }
  }
  return text;
}

template <typename Answer>
void AddClasses(const Answer& answer, Json& json) {
  json["labels"] = Json::array();
  for (const v1::Label& label : answer.labels()) {
    json["labels"].push_back(
        {{"name", label.name()}, {"index", label.index()}, {"probability", Number(label.probability())}});
  }
  if (!answer.logits().empty()) json["logits"] = Numbers(answer.logits());
}

Json AttentionJson(const v1::AttentionMap& map) {
  return {{"height", map.height()},        {"width", map.width()},     {"weights", Numbers(map.weights())},
          {"left", Number(map.left())},    {"top", Number(map.top())}, {"right", Number(map.right())},
          {"bottom", Number(map.bottom())}};
}

}  // namespace

std::string RenderText(const ImageClasses& result, const ClassifyFormat& format) {
  if (!result.status.ok()) return "";
  return Lines(result.answer, PrintableLabel(result.source.name), format);
}

std::string RenderText(const TextClasses& result, const ClassifyFormat& format) {
  if (!result.status.ok()) return "";
  std::string name = absl::StrCat(result.source.number);
  if (format.for_terminal) absl::StrAppend(&name, "  ", PrintableLabel(result.source.text, kMaxTextColumns));
  return Lines(result.answer, name, format);
}

std::string RenderJson(const ImageClasses& result) {
  Json json = {{"number", result.source.number}, {"file", result.source.name}};
  if (!result.status.ok()) {
    json["error"] = ErrorJson(WithoutIndex(result.status));
    return OneLine(json);
  }
  json["model"] = result.model;
  AddClasses(result.answer, json);
  json["width"] = result.answer.width();
  json["height"] = result.answer.height();
  if (result.answer.has_attention_map()) json["attention_map"] = AttentionJson(result.answer.attention_map());
  json["timing_ms"] = TimingJson(result.answer.timing());
  return OneLine(json);
}

std::string RenderJson(const TextClasses& result) {
  Json json = {{"number", result.source.number}, {"text", result.source.text}};
  if (!result.status.ok()) {
    json["error"] = ErrorJson(WithoutIndex(result.status));
    return OneLine(json);
  }
  json["model"] = result.model;
  AddClasses(result.answer, json);
  json["tokens"] = result.answer.tokens();
  json["truncated"] = result.answer.truncated();
  json["timing_ms"] = TimingJson(result.answer.timing());
  return OneLine(json);
}

}  // namespace attendant::client
