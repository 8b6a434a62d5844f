#include <nlohmann/json.hpp>

#include "client/json_values.h"
#include "client/render.h"

namespace attendant::client {
namespace {

const char* FinishReasonName(v1::FinishReason reason) {
  switch (reason) {
    case v1::FINISH_REASON_END_TOKEN:
      return "end_token";
    case v1::FINISH_REASON_MAX_LENGTH:
      return "max_length";
    case v1::FINISH_REASON_REPETITION:
      return "repetition";
    default:
      return "unspecified";
  }
}

Json HypothesisJson(const v1::Hypothesis& hypothesis) {
  Json json = {{"text", hypothesis.text()},
               {"score", Number(hypothesis.score())},
               {"finish_reason", FinishReasonName(hypothesis.finish_reason())},
               {"token_ids",
                Json(std::vector<int32_t>(hypothesis.token_ids().begin(), hypothesis.token_ids().end()))}};
  if (!hypothesis.tokens().empty()) json["tokens"] = Strings(hypothesis.tokens());
  if (!hypothesis.token_scores().empty()) json["token_scores"] = Numbers(hypothesis.token_scores());
  if (!hypothesis.alignment().empty()) {
    json["alignment"] = Json::array();
    for (const v1::AlignmentRow& row : hypothesis.alignment())
      json["alignment"].push_back(Numbers(row.weights()));
  }
  return json;
}

Json SentenceJson(const v1::SentenceTranslation& sentence) {
  Json json = {{"source", sentence.source_text()}};
  if (!sentence.source_tokens().empty()) json["source_tokens"] = Strings(sentence.source_tokens());
  json["hypotheses"] = Json::array();
  for (const v1::Hypothesis& hypothesis : sentence.hypotheses())
    json["hypotheses"].push_back(HypothesisJson(hypothesis));
  return json;
}

void AddTranslation(const v1::Translation& translation, Json& json) {
  json["translation"] = translation.translated_text();
  json["sentences"] = Json::array();
  for (const v1::SentenceTranslation& sentence : translation.sentences()) {
    json["sentences"].push_back(SentenceJson(sentence));
  }
  json["input_tokens"] = translation.input_tokens();
  json["output_tokens"] = translation.output_tokens();
  json["halved_sentences"] = translation.halved_sentences();
  const v1::PhaseTiming& timing = translation.timing();
  json["timing_ms"] = {{"tokenize", Milliseconds(timing.tokenize())},
                       {"queue", Milliseconds(timing.queue())},
                       {"encode", Milliseconds(timing.encode())},
                       {"first_token", Milliseconds(timing.first_token())},
                       {"total", Milliseconds(timing.total())}};
}

}  // namespace

std::string RenderJson(const TextResult& result) {
  Json json = {{"number", result.source.number}, {"source", result.source.text}};
  if (result.status.ok()) {
    json["model"] = result.model;
    AddTranslation(result.translation, json);
  } else {
    json["error"] = ErrorJson(result.status);
  }
  return OneLine(json);
}

}  // namespace attendant::client
