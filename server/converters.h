#pragma once

#include <google/protobuf/duration.pb.h>

#include "absl/status/statusor.h"
#include "attendant/v1/model_service.pb.h"
#include "attendant/v1/translation_options.pb.h"
#include "attendant/v1/translation_service.pb.h"
#include "engine/decoding/options.h"
#include "engine/tasks/translator.h"

namespace attendant {

// Between the messages of the public API and the types of the task. Nothing else knows both.

// Checks the limits that translation_options.proto states and that need no model. INVALID_ARGUMENT names the
// field and its range.
absl::StatusOr<TranslationOptions> ToTask(const v1::TranslationOptions& options);

v1::TranslationOptions ToProto(const DecodingOptions& defaults);
google::protobuf::Duration ToProto(Duration duration);
v1::PhaseTiming ToProto(const PhaseTiming& timing);
v1::SentenceTranslation ToProto(const SentenceTranslation& sentence);
v1::Translation ToProto(const TranslationResult& result);
// ToProto without `sentences`.
v1::Translation ToProtoWithoutSentences(const TranslationResult& result);

}  // namespace attendant
