#include "server/http/libretranslate_api.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/status_macros.h"
#include "server/http/request_json.h"

namespace attendant {
namespace {

using nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// "a+b%20c". Errors: INVALID_ARGUMENT a percent sign that begins nothing.
absl::StatusOr<std::string> DecodeForm(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) || !absl::ascii_isxdigit(text[i + 2])) {
      return absl::InvalidArgumentError("body: a % without two hexadecimal digits");
    }
    int byte = 0;
    if (!absl::SimpleHexAtoi(text.substr(i + 1, 2), &byte)) byte = '?';
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

// A form as the JSON object that says the same.
absl::StatusOr<json> ParseForm(const std::string& body) {
  constexpr size_t kMaxFields = 100'000;
  json fields = json::object();
  const std::vector<absl::string_view> pairs = absl::StrSplit(body, '&', absl::SkipEmpty());
  if (pairs.size() > kMaxFields) return absl::InvalidArgumentError("body: too many fields");
  for (absl::string_view pair : pairs) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    ATTENDANT_ASSIGN_OR_RETURN(const std::string name, DecodeForm(halves.first));
    ATTENDANT_ASSIGN_OR_RETURN(std::string value, DecodeForm(halves.second));
    int32_t number = 0;
    if (name == "alternatives" && absl::SimpleAtoi(value, &number)) {
      fields[name] = number;
    } else if (name == "q" && fields.contains(name)) {
      json& texts = fields[name];
      if (!texts.is_array()) texts = json::array({std::move(texts)});
      texts.push_back(std::move(value));
    } else {
      fields[name] = std::move(value);
    }
  }
  return fields;
}

absl::StatusOr<json> ParseBody(const std::string& body, absl::string_view content_type) {
  const bool is_form = absl::StartsWithIgnoreCase(content_type, "application/x-www-form-urlencoded");
  if (absl::StartsWithIgnoreCase(content_type, "multipart/")) {
    return absl::InvalidArgumentError("body: must be JSON or application/x-www-form-urlencoded");
  }
  return is_form ? ParseForm(body) : ParseJsonObject(body);
}

absl::StatusOr<std::string> ReadNeededString(const json& fields, const char* field) {
  ATTENDANT_ASSIGN_OR_RETURN(std::string value, ReadString(fields, field, ""));
  if (value.empty()) return WrongField(field, "is missing");
  return value;
}

absl::Status CheckFormat(const json& fields) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string format, ReadString(fields, "format", "text"));
  if (format == "text") return absl::OkStatus();
  return WrongField("format", format == "html" ? "html is not supported; send plain text with format \"text\""
                                               : "must be \"text\"");
}

std::string LanguageName(const std::string& code) {
  icu::UnicodeString name;
  UErrorCode error = U_ZERO_ERROR;
  icu::Locale::forLanguageTag(code, error).getDisplayName(icu::Locale::getEnglish(), name);
  std::string text;
  name.toUTF8String(text);
  return text.empty() ? code : text;
}

// Of the index-th best hypothesis of each sentence; of a sentence that has fewer, the last.
std::string TextOf(const v1::Translation& translation, int index) {
  std::string text;
  for (const v1::SentenceTranslation& sentence : translation.sentences()) {
    const int last = sentence.hypotheses_size() - 1;
    absl::StrAppend(&text, sentence.leading_space(),
                    last < 0 ? "" : sentence.hypotheses(std::min(index, last)).text(),
                    sentence.trailing_space());
  }
  return text;
}

OrderedJson AlternativesOf(const v1::Translation& translation, int32_t count) {
  OrderedJson alternatives = OrderedJson::array();
  std::set<std::string> seen = {translation.translated_text()};
  for (int32_t i = 1; i <= count; ++i) {
    std::string text = TextOf(translation, i);
    if (seen.insert(text).second) alternatives.push_back(std::move(text));
  }
  return alternatives;
}

// Per cent, to one decimal.
double Confidence(float probability) {
  return std::round(static_cast<double>(probability) * 1000) / 10;
}

OrderedJson DetectedJson(const DetectedLanguage& detected) {
  return {{"confidence", Confidence(detected.probability)}, {"language", detected.language}};
}

// The list, or its only element.
OrderedJson ListOrOne(OrderedJson list, bool is_list) {
  return is_list ? list : std::move(list.at(0));
}

}  // namespace

absl::StatusOr<TranslateForm> ParseTranslate(const std::string& body, absl::string_view content_type) {
  TranslateForm form;
  ATTENDANT_ASSIGN_OR_RETURN(const json fields, ParseBody(body, content_type));
  ATTENDANT_ASSIGN_OR_RETURN(const Texts texts, ReadTexts(fields, "q"));
  if (texts.items.empty()) return WrongField("q", "is an empty list");
  for (const std::string& text : texts.items) form.rpc.add_contents(text);
  form.is_list = texts.is_list;
  ATTENDANT_ASSIGN_OR_RETURN(const std::string source, ReadNeededString(fields, "source"));
  form.is_source_auto = source == "auto";
  if (!form.is_source_auto) form.rpc.set_source_language_code(source);
  ATTENDANT_ASSIGN_OR_RETURN(*form.rpc.mutable_target_language_code(), ReadNeededString(fields, "target"));
  ATTENDANT_RETURN_IF_ERROR(CheckFormat(fields));
  ATTENDANT_ASSIGN_OR_RETURN(form.api_key, ReadString(fields, "api_key", ""));
  constexpr int32_t kNone = 0;
  ATTENDANT_ASSIGN_OR_RETURN(form.alternatives,
                             ReadInteger(fields, "alternatives", kNone, {0, kMaxAlternatives}));
  if (form.alternatives > 0) {
    constexpr int32_t kUsualBeam = 4;
    form.rpc.mutable_options()->set_beam_size(std::max(kUsualBeam, form.alternatives + 1));
    form.rpc.mutable_options()->set_num_hypotheses(form.alternatives + 1);
  }
  return form;
}

absl::StatusOr<DetectForm> ParseDetect(const std::string& body, absl::string_view content_type) {
  DetectForm form;
  ATTENDANT_ASSIGN_OR_RETURN(const json fields, ParseBody(body, content_type));
  ATTENDANT_ASSIGN_OR_RETURN(const Texts texts, ReadTexts(fields, "q"));
  if (texts.is_list) return WrongField("q", "must be a string");
  form.rpc.add_texts(texts.items.front());
  ATTENDANT_ASSIGN_OR_RETURN(form.api_key, ReadString(fields, "api_key", ""));
  return form;
}

std::vector<DetectedLanguage> LanguagesOf(const v1::TextClassification& classes) {
  std::vector<DetectedLanguage> languages;
  for (const v1::Label& label : classes.labels()) languages.push_back({label.name(), label.probability()});
  return languages;
}

std::string WriteTranslation(const v1::TranslateResponse& response, const TranslateForm& form,
                             const std::vector<DetectedLanguage>& detected) {
  OrderedJson texts = OrderedJson::array(), languages = OrderedJson::array(), others = OrderedJson::array();
  for (const v1::Translation& translation : response.translations()) {
    texts.push_back(translation.translated_text());
    others.push_back(AlternativesOf(translation, form.alternatives));
  }
  for (const DetectedLanguage& one : detected) languages.push_back(DetectedJson(one));
  OrderedJson answer;
  if (form.alternatives > 0) answer["alternatives"] = ListOrOne(std::move(others), form.is_list);
  if (!detected.empty()) answer["detectedLanguage"] = ListOrOne(std::move(languages), form.is_list);
  answer["translatedText"] = ListOrOne(std::move(texts), form.is_list);
  return answer.dump();
}

std::string WriteDetection(const v1::TextClassification& classes) {
  constexpr float kLeast = 0.01F;
  OrderedJson list = OrderedJson::array();
  for (const DetectedLanguage& one : LanguagesOf(classes)) {
    if (list.empty() || one.probability >= kLeast) list.push_back(DetectedJson(one));
  }
  return list.dump();
}

std::string WriteLanguages(const v1::ListLanguagePairsResponse& pairs) {
  std::map<std::string, std::set<std::string>> targets;
  for (const v1::LanguagePair& pair : pairs.language_pairs()) {
    targets[pair.source_language_code()].insert(pair.target_language_code());
  }
  OrderedJson list = OrderedJson::array();
  for (const auto& [source, codes] : targets) {
    list.push_back({{"code", source}, {"name", LanguageName(source)}, {"targets", codes}});
  }
  return list.dump();
}

}  // namespace attendant
