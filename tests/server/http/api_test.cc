// The shapes, byte for byte, without a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/http/http_status.h"
#include "server/http/libretranslate_api.h"
#include "server/http/openai_api.h"

namespace attendant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kForm[] = "application/x-www-form-urlencoded";
constexpr char kJson[] = "application/json; charset=utf-8";

std::string EmbeddingsError(const std::string& body) {
  const auto parsed = ParseEmbeddings(body);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << body;
  return std::string(parsed.status().message());
}

std::string TranslateError(const std::string& body, const char* type = kJson) {
  const auto parsed = ParseTranslate(body, type);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << body;
  return std::string(parsed.status().message());
}

// The request of OpenAI's reference.
TEST(OpenAiApiTest, ReadsTheDocumentedRequest) {
  const auto parsed = ParseEmbeddings(
      R"({"input": "The food was delicious and the waiter...", "model": "text-embedding-ada-002", "encoding_format": "float"})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->rpc.texts(), ElementsAre("The food was delicious and the waiter..."));
  EXPECT_EQ(parsed->rpc.model(), "text-embedding-ada-002");
  EXPECT_FALSE(parsed->is_base64);
  EXPECT_EQ(parsed->rpc.dimensions(), 0);
}

TEST(OpenAiApiTest, ReadsListsDimensionsAndBase64AndIgnoresTheRest) {
  const auto parsed = ParseEmbeddings(
      R"({"input":["a","ü"],"model":"m","dimensions":64,"encoding_format":"base64","user":"u","new":{"x":[1]}})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->rpc.texts(), ElementsAre("a", "ü"));
  EXPECT_EQ(parsed->rpc.dimensions(), 64);
  EXPECT_TRUE(parsed->is_base64);
  EXPECT_TRUE(ParseEmbeddings(R"({"input":"a","model":null,"encoding_format":null,"dimensions":null})").ok());
}

TEST(OpenAiApiTest, SaysWhichFieldIsWrong) {
  EXPECT_EQ(EmbeddingsError(R"({"model":"m"})"), "input: is missing");
  EXPECT_EQ(EmbeddingsError(R"({"input":null})"), "input: is missing");
  EXPECT_EQ(EmbeddingsError(R"({"input":[]})"), "input: is an empty list");
  EXPECT_EQ(EmbeddingsError(R"({"input":true})"),
            "input: must be a string or a list of strings, not boolean");
  EXPECT_THAT(EmbeddingsError(R"({"input":[1,2]})"), HasSubstr("input: token ids are not accepted"));
  EXPECT_THAT(EmbeddingsError(R"({"input":[[1,2],[3]]})"), HasSubstr("input: token ids are not accepted"));
  EXPECT_THAT(EmbeddingsError(R"({"input":["a",{}]})"), HasSubstr("input: must be"));
  EXPECT_THAT(EmbeddingsError(R"({"input":"a","model":3})"), HasSubstr("model: must be a string"));
  EXPECT_THAT(EmbeddingsError(R"({"input":"a","encoding_format":"hex"})"), HasSubstr("encoding_format: "));
  for (const char* dimensions : {"0", "-1", "1048577", "99999999999999999999", "18446744073709551615"}) {
    EXPECT_THAT(EmbeddingsError(absl::StrCat(R"({"input":"a","dimensions":)", dimensions, "}")),
                HasSubstr("dimensions: "))
        << dimensions;
  }
  EXPECT_THAT(EmbeddingsError(R"({"input":"a","dimensions":1.5})"), HasSubstr("dimensions: "));
}

TEST(OpenAiApiTest, RefusesWhatIsNoJsonObject) {
  for (const char* body : {"", "{", "[]", "\"a\"", "{\"input\":\"a\"} x", "{\"input\":\"a\",\"input\":\"b\"}",
                           "{\"input\":\"\xff\"}", "{\"input\":\"\\ud800\"}"}) {
    EXPECT_FALSE(EmbeddingsError(body).empty()) << body;
  }
  EXPECT_FALSE(EmbeddingsError("{\"input\":" + std::string(100'000, '[')).empty());
}

v1::EmbedTextResponse TwoEmbeddings() {
  v1::EmbedTextResponse response;
  response.set_model("m");
  response.set_tokens(8);
  for (const float value : {0.0023064255F, -0.009327292F}) {
    auto& vector = *response.add_embeddings()->mutable_vector();
    vector.add_values(value);
    vector.add_values(1);
  }
  return response;
}

TEST(OpenAiApiTest, WritesTheDocumentedAnswer) {
  EXPECT_EQ(WriteEmbeddings(TwoEmbeddings(), /*is_base64=*/false),
            R"({"object":"list","data":[{"object":"embedding","embedding":[0.0023064255,1],"index":0},)"
            R"({"object":"embedding","embedding":[-0.009327292,1],"index":1}],"model":"m",)"
            R"("usage":{"prompt_tokens":8,"total_tokens":8}})");
}

TEST(OpenAiApiTest, Base64IsLittleEndianFloats) {
  const nlohmann::json json = nlohmann::json::parse(WriteEmbeddings(TwoEmbeddings(), /*is_base64=*/true));
  std::string bytes;
  ASSERT_TRUE(absl::Base64Unescape(json["data"][1]["embedding"].get<std::string>(), &bytes));
  ASSERT_EQ(bytes.size(), 8u);
  float values[2];
  std::memcpy(values, bytes.data(), 8);  // This machine's order, too.
  EXPECT_EQ(values[0], -0.009327292F);
  EXPECT_EQ(values[1], 1);
  EXPECT_EQ(bytes.substr(4), std::string("\x00\x00\x80\x3f", 4));
}

TEST(OpenAiApiTest, NumbersComeBackAsTheSameFloats) {
  v1::EmbedTextResponse response;
  auto& vector = *response.add_embeddings()->mutable_vector();
  const std::vector<float> values = {0.1F, -1e-38F, 1.17549435e-38F, 3.4028235e38F, 1.F / 3, 0, -0.F, 1e-45F};
  for (const float value : values) vector.add_values(value);
  const nlohmann::json json = nlohmann::json::parse(WriteEmbeddings(response, /*is_base64=*/false));
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(static_cast<float>(json["data"][0]["embedding"][i].get<double>()), values[i]) << i;
  }
}

TEST(OpenAiApiTest, ListsModelsThatAreReady) {
  v1::ListModelsResponse models;
  for (const auto state : {v1::Model::READY, v1::Model::LOADING, v1::Model::FAILED}) {
    models.add_models()->set_name(absl::StrCat("model-", static_cast<int>(state)));
    models.mutable_models(models.models_size() - 1)->set_state(state);
  }
  EXPECT_EQ(
      WriteModels(models, 1686935002),
      R"({"object":"list","data":[{"id":"model-2","object":"model","created":1686935002,"owned_by":"attendant"}]})");
}

TEST(LibreTranslateApiTest, ReadsJsonAndFormsAlike) {
  for (
      const auto& [body, type] :
      {std::pair(
           R"({"q":"Hello & good + bye","source":"en","target":"de","format":"text","alternatives":3,"api_key":"k"})",
           kJson),
       std::pair("q=Hello+%26%20good+%2b+bye&source=en&target=de&format=text&alternatives=3&api_key=k",
                 kForm)}) {
    const auto form = ParseTranslate(body, type);
    ASSERT_TRUE(form.ok()) << form.status();
    EXPECT_THAT(form->rpc.contents(), ElementsAre("Hello & good + bye"));
    EXPECT_FALSE(form->is_list);
    EXPECT_EQ(form->rpc.source_language_code(), "en");
    EXPECT_EQ(form->rpc.target_language_code(), "de");
    EXPECT_EQ(form->alternatives, 3);
    EXPECT_EQ(form->rpc.options().num_hypotheses(), 4);
    EXPECT_EQ(form->rpc.options().beam_size(), 4);
    EXPECT_EQ(form->api_key, "k");
  }
}

TEST(LibreTranslateApiTest, ReadsListsAndAuto) {
  for (const auto& [body, type] : {std::pair(R"({"q":["a","b"],"source":"auto","target":"de"})", kJson),
                                   std::pair("q=a&q=b&source=auto&target=de", kForm)}) {
    const auto form = ParseTranslate(body, type);
    ASSERT_TRUE(form.ok()) << form.status();
    EXPECT_THAT(form->rpc.contents(), ElementsAre("a", "b"));
    EXPECT_TRUE(form->is_list);
    EXPECT_TRUE(form->is_source_auto);
    EXPECT_EQ(form->rpc.source_language_code(), "");
    EXPECT_FALSE(form->rpc.options().has_beam_size());
  }
}

TEST(LibreTranslateApiTest, SaysWhichFieldIsWrong) {
  EXPECT_EQ(TranslateError(R"({"source":"en","target":"de"})"), "q: is missing");
  EXPECT_EQ(TranslateError(R"({"q":[],"source":"en","target":"de"})"), "q: is an empty list");
  EXPECT_EQ(TranslateError(R"({"q":"a","target":"de"})"), "source: is missing");
  EXPECT_EQ(TranslateError(R"({"q":"a","source":"en"})"), "target: is missing");
  EXPECT_THAT(TranslateError(R"({"q":"a","source":"en","target":"de","format":"html"})"),
              HasSubstr("html is not supported"));
  EXPECT_EQ(TranslateError(R"({"q":"a","source":"en","target":"de","format":"md"})"),
            "format: must be \"text\"");
  EXPECT_TRUE(ParseTranslate(R"({"q":"a","source":"en","target":"de","alternatives":31})", kJson).ok());
  EXPECT_THAT(TranslateError(R"({"q":"a","source":"en","target":"de","alternatives":32})"),
              HasSubstr("alternatives: must be 0 to 31"));
  EXPECT_THAT(TranslateError("q=a&source=en&target=de&alternatives=x", kForm), HasSubstr("alternatives: "));
  for (const char* body : {"q=%", "q=%4", "q=%zz", "q=a%2"}) {
    EXPECT_THAT(TranslateError(body, kForm), HasSubstr("body: ")) << body;
  }
  EXPECT_THAT(TranslateError("--x", "multipart/form-data; boundary=x"), HasSubstr("body: must be JSON"));
}

v1::TranslateResponse TwoSentences() {
  v1::TranslateResponse response;
  auto& translation = *response.add_translations();
  translation.set_translated_text("A. B.");
  for (const char* text : {"A", "B"}) {
    auto& sentence = *translation.add_sentences();
    sentence.set_trailing_space(text == std::string("A") ? " " : "");
    for (const char* end : {".", "!"}) sentence.add_hypotheses()->set_text(absl::StrCat(text, end));
  }
  translation.mutable_sentences(1)->mutable_hypotheses()->RemoveLast();
  return response;
}

TEST(LibreTranslateApiTest, WritesTheDocumentedAnswers) {
  TranslateForm form;
  EXPECT_EQ(WriteTranslation(TwoSentences(), form, {}), R"({"translatedText":"A. B."})");
  form.is_list = true;
  EXPECT_EQ(WriteTranslation(TwoSentences(), form, {}), R"({"translatedText":["A. B."]})");
  EXPECT_EQ(WriteTranslation(TwoSentences(), form, {{"en", 0.9951F}}),
            R"({"detectedLanguage":[{"confidence":99.5,"language":"en"}],"translatedText":["A. B."]})");
  form.is_list = false;
  form.alternatives = 2;
  // A sentence without a second hypothesis keeps its best; the same text comes once.
  EXPECT_EQ(
      WriteTranslation(TwoSentences(), form, {{"en", 0.5F}}),
      R"({"alternatives":["A! B."],"detectedLanguage":{"confidence":50.0,"language":"en"},"translatedText":"A. B."})");
}

TEST(LibreTranslateApiTest, WritesLanguagesAndDetections) {
  v1::ListLanguagePairsResponse pairs;
  for (const auto& [from, to] : {std::pair("en", "de"), std::pair("de", "en"), std::pair("en", "fr")}) {
    auto& pair = *pairs.add_language_pairs();
    pair.set_source_language_code(from);
    pair.set_target_language_code(to);
  }
  EXPECT_EQ(WriteLanguages(pairs), R"([{"code":"de","name":"German","targets":["en"]},)"
                                   R"({"code":"en","name":"English","targets":["de","fr"]}])");
  v1::TextClassification classes;
  for (const auto& [name, probability] :
       {std::pair("de", 0.97F), std::pair("en", 0.02F), std::pair("fr", 0.001F)}) {
    classes.add_labels()->set_name(name);
    classes.mutable_labels(classes.labels_size() - 1)->set_probability(probability);
  }
  EXPECT_EQ(WriteDetection(classes),
            R"([{"confidence":97.0,"language":"de"},{"confidence":2.0,"language":"en"}])");
}

TEST(LibreTranslateApiTest, DetectsOneText) {
  const auto form = ParseDetect(R"({"q":"Bonjour","api_key":"k"})", kJson);
  ASSERT_TRUE(form.ok());
  EXPECT_THAT(form->rpc.texts(), ElementsAre("Bonjour"));
  EXPECT_EQ(form->api_key, "k");
  EXPECT_FALSE(ParseDetect(R"({"q":["a"]})", kJson).ok());
}

TEST(HttpStatusTest, ErrorsHaveTheShapeOfTheirApi) {
  EXPECT_EQ(ErrorResponse(ApiStyle::kLibreTranslate, absl::NotFoundError("no \"x\"")).body,
            R"({"error":"no \"x\""})");
  EXPECT_EQ(
      ErrorResponse(ApiStyle::kOpenAi, absl::NotFoundError("no")).body,
      R"({"error":{"message":"no","type":"invalid_request_error","param":null,"code":"model_not_found"}})");
  EXPECT_THAT(ErrorResponse(ApiStyle::kOpenAi, absl::UnauthenticatedError("no")).body,
              HasSubstr(R"("code":"invalid_api_key")"));
  EXPECT_THAT(ErrorResponse(ApiStyle::kOpenAi, absl::InternalError("\xff")).body, HasSubstr("\xef\xbf\xbd"));
}

TEST(HttpStatusTest, RetryAfterIsSecondsRoundedUp) {
  const auto after = [](const char* milliseconds) {
    return ErrorResponse(ApiStyle::kOpenAi, absl::ResourceExhaustedError(""), milliseconds).retry_after;
  };
  EXPECT_EQ(after("1"), "1");
  EXPECT_EQ(after("1000"), "1");
  EXPECT_EQ(after("1001"), "2");
  EXPECT_EQ(after("0"), "0");
  for (const char* nothing : {"", "x", "-5"}) EXPECT_THAT(after(nothing), IsEmpty());
}

}  // namespace
}  // namespace attendant
