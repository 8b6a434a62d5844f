#include "server/http/openai_api.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/http/request_json.h"

namespace attendant {
namespace {

using nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

absl::Status ReadInput(const json& body, v1::EmbedTextRequest& request) {
  const auto input = body.find("input");
  if (input == body.end()) return WrongField("input", "is missing");
  const auto is_token = [](const json& item) { return item.is_number() || item.is_array(); };
  if (input->is_array() && std::any_of(input->begin(), input->end(), is_token)) {
    return WrongField("input",
                      "token ids are not accepted, as each model has a tokenizer of its own; send text");
  }
  ATTENDANT_ASSIGN_OR_RETURN(const Texts texts, ReadTexts(body, "input"));
  if (texts.items.empty()) return WrongField("input", "is an empty list");
  for (const std::string& text : texts.items) request.add_texts(text);
  return absl::OkStatus();
}

void AppendNumbers(const google::protobuf::RepeatedField<float>& values, std::string& text) {
  text += '[';
  char digits[32];
  for (int i = 0; i < values.size(); ++i) {
    if (i > 0) text += ',';
    text.append(digits, std::to_chars(digits, digits + sizeof(digits), values[i]).ptr);
  }
  text += ']';
}

void AppendBase64(const google::protobuf::RepeatedField<float>& values, std::string& text) {
  std::string bytes;
  bytes.reserve(static_cast<size_t>(values.size()) * 4);
  for (const float value : values) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xff);
  }
  absl::StrAppend(&text, "\"", absl::Base64Escape(bytes), "\"");
}

OrderedJson ModelJson(const v1::Model& model, int64_t created) {
  return {{"id", model.name()}, {"object", "model"}, {"created", created}, {"owned_by", "attendant"}};
}

}  // namespace

absl::StatusOr<EmbeddingsRequest> ParseEmbeddings(const std::string& body) {
  EmbeddingsRequest request;
  ATTENDANT_ASSIGN_OR_RETURN(const json fields, ParseJsonObject(body));
  ATTENDANT_RETURN_IF_ERROR(ReadInput(fields, request.rpc));
  ATTENDANT_ASSIGN_OR_RETURN(*request.rpc.mutable_model(), ReadString(fields, "model", ""));
  ATTENDANT_ASSIGN_OR_RETURN(const std::string format, ReadString(fields, "encoding_format", "float"));
  if (format != "float" && format != "base64") {
    return WrongField("encoding_format", "is neither \"float\" nor \"base64\"");
  }
  request.is_base64 = format == "base64";
  constexpr int32_t kAll = 0, kMaxDimensions = 1 << 20;
  ATTENDANT_ASSIGN_OR_RETURN(const int32_t dimensions,
                             ReadInteger(fields, "dimensions", kAll, {1, kMaxDimensions}));
  request.rpc.set_dimensions(dimensions);
  return request;
}

std::string WriteEmbeddings(const v1::EmbedTextResponse& response, bool is_base64) {
  std::string text = R"({"object":"list","data":[)";
  for (int i = 0; i < response.embeddings_size(); ++i) {
    absl::StrAppend(&text, i > 0 ? "," : "", R"({"object":"embedding","embedding":)");
    const auto& values = response.embeddings(i).vector().values();
    is_base64 ? AppendBase64(values, text) : AppendNumbers(values, text);
    absl::StrAppend(&text, R"(,"index":)", i, "}");
  }
  absl::StrAppend(&text, R"(],"model":)", OrderedJson(response.model()).dump(),
                  R"(,"usage":{"prompt_tokens":)", response.tokens(), R"(,"total_tokens":)",
                  response.tokens(), "}}");
  return text;
}

std::string WriteModels(const v1::ListModelsResponse& models, int64_t created) {
  OrderedJson data = OrderedJson::array();
  for (const v1::Model& model : models.models()) {
    if (model.state() == v1::Model::READY) data.push_back(ModelJson(model, created));
  }
  return OrderedJson{{"object", "list"}, {"data", std::move(data)}}.dump();
}

std::string WriteModel(const v1::Model& model, int64_t created) {
  return ModelJson(model, created).dump();
}

}  // namespace attendant
