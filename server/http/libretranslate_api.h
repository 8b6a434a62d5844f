#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "attendant/v1/classification_service.pb.h"
#include "attendant/v1/translation_service.pb.h"

namespace attendant {

// LibreTranslate's shapes of translation and detection, from and to our messages.
// Source: https://docs.libretranslate.com/api/.

// The most alternatives of one translation.
inline constexpr int32_t kMaxAlternatives = 31;

struct TranslateForm {
  v1::TranslateRequest rpc;
  bool is_list = false;  // `q` was a list: so is the answer.
  bool is_source_auto = false;
  int32_t alternatives = 0;
  std::string api_key;
};

// The body of POST /translate: JSON, or a form where content_type says so (several q are a list). Errors:
// INVALID_ARGUMENT names the field; also for format "html", which would have to be taken apart.
absl::StatusOr<TranslateForm> ParseTranslate(const std::string& body, absl::string_view content_type);

struct DetectForm {
  v1::ClassifyTextRequest rpc;
  std::string api_key;
};
// The body of POST /detect; `q` is one text. As ParseTranslate.
absl::StatusOr<DetectForm> ParseDetect(const std::string& body, absl::string_view content_type);

// What one text was found to be in.
struct DetectedLanguage {
  std::string language;
  float probability = 0;
};
// Most likely first.
std::vector<DetectedLanguage> LanguagesOf(const v1::TextClassification& classes);

// detected: one for each text if the source was "auto", else empty.
std::string WriteTranslation(const v1::TranslateResponse& response, const TranslateForm& form,
                             const std::vector<DetectedLanguage>& detected);
std::string WriteDetection(const v1::TextClassification& classes);
std::string WriteLanguages(const v1::ListLanguagePairsResponse& pairs);

}  // namespace attendant
