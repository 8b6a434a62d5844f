#include "server/kserve/infer_parameters.h"

#include <google/protobuf/descriptor.h>

#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/converters.h"
#include "server/kserve/parameter_value.h"

namespace attendant::kserve {
namespace {

using google::protobuf::FieldDescriptor;
using inference::InferParameter;

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

// nullptr: there is no such option, or none that a tensor could answer.
const FieldDescriptor* FindOption(const std::string& name) {
  if (name == "return_alignment" || name == "return_token_scores") return nullptr;
  return v1::TranslationOptions::descriptor()->FindFieldByName(name);
}

// "none", "sentences": as the values of the enum, without its name before them.
absl::Status SetSplit(const InferParameter& value, v1::TranslationOptions& options) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text, ReadString(value));
  if (text == "none") {
    options.set_split(v1::TranslationOptions::SPLIT_NONE);
  } else if (text == "sentences") {
    options.set_split(v1::TranslationOptions::SPLIT_SENTENCES);
  } else {
    return absl::InvalidArgumentError("is neither \"sentences\" nor \"none\"");
  }
  return absl::OkStatus();
}

absl::Status SetString(const FieldDescriptor& field, const InferParameter& value,
                       v1::TranslationOptions& options) {
  ATTENDANT_ASSIGN_OR_RETURN(std::string text, ReadString(value));
  const google::protobuf::Reflection& reflection = *options.GetReflection();
  if (field.is_repeated()) {
    reflection.AddString(&options, &field, std::move(text));
  } else {
    reflection.SetString(&options, &field, std::move(text));
  }
  return absl::OkStatus();
}

absl::Status SetOption(const FieldDescriptor& field, const InferParameter& value,
                       v1::TranslationOptions& options) {
  const google::protobuf::Reflection& reflection = *options.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      ATTENDANT_ASSIGN_OR_RETURN(const int64_t number, ReadInteger(value, {-kMaxInt32, kMaxInt32}));
      reflection.SetInt32(&options, &field, static_cast<int32_t>(number));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      ATTENDANT_ASSIGN_OR_RETURN(const uint64_t number, ReadUnsigned(value));
      reflection.SetUInt64(&options, &field, number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      ATTENDANT_ASSIGN_OR_RETURN(const float number, ReadFloat(value));
      reflection.SetFloat(&options, &field, number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      ATTENDANT_ASSIGN_OR_RETURN(const bool flag, ReadBool(value));
      reflection.SetBool(&options, &field, flag);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return SetString(field, value, options);
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetSplit(value, options);
    default:
      return absl::InvalidArgumentError("cannot be given in this protocol");
  }
}

absl::Status SetPriority(const InferParameter& value, InferParameters& result) {
  ATTENDANT_ASSIGN_OR_RETURN(const int64_t level, ReadInteger(value, {0, kPriorityLevels}));
  result.priority = level == 0 ? 0 : kDefaultPriorityLevel - static_cast<int>(level);
  return absl::OkStatus();
}

absl::Status SetTimeout(const InferParameter& value, InferParameters& result) {
  constexpr int64_t kMaxMicroseconds = int64_t{100} * 365 * 24 * 3600 * 1'000'000;
  ATTENDANT_ASSIGN_OR_RETURN(const int64_t microseconds, ReadInteger(value, {0, kMaxMicroseconds}));
  if (microseconds > 0) result.timeout = std::chrono::microseconds(microseconds);
  return absl::OkStatus();
}

absl::Status SetRefuseTruncation(const InferParameter& value, InferParameters& result) {
  ATTENDANT_ASSIGN_OR_RETURN(const bool refuse, ReadBool(value));
  result.truncation = refuse ? Truncation::kRefuse : Truncation::kTruncate;
  return absl::OkStatus();
}

absl::Status SetDimensions(const InferParameter& value, InferParameters& result) {
  ATTENDANT_ASSIGN_OR_RETURN(const int64_t dimensions, ReadInteger(value, {0, kMaxInt32}));
  result.dimensions = static_cast<int32_t>(dimensions);
  return absl::OkStatus();
}

absl::Status SetNormalize(const InferParameter& value, InferParameters& result) {
  ATTENDANT_ASSIGN_OR_RETURN(result.normalize, ReadBool(value));
  return absl::OkStatus();
}

absl::Status SetPrompt(const InferParameter& value, InferParameters& result) {
  ATTENDANT_ASSIGN_OR_RETURN(result.prompt, ReadString(value));
  return absl::OkStatus();
}

// One parameter at a time; those of the translation are collected, and checked together at the end.
absl::Status SetParameter(const std::string& name, const InferParameter& value, const EngineModel& model,
                          v1::TranslationOptions& options, InferParameters& result) {
  if (name == "priority") return SetPriority(value, result);
  if (name == "timeout") return SetTimeout(value, result);
  const bool embeds_text = model.Serves(Task::kEmbedText);
  if (name == "normalize" && (embeds_text || model.Serves(Task::kEmbedImage))) {
    return SetNormalize(value, result);
  }
  if (name == "prompt" && embeds_text) return SetPrompt(value, result);
  if (name == "dimensions" && embeds_text) return SetDimensions(value, result);
  if (name == "refuse_truncation" && model.text != nullptr) return SetRefuseTruncation(value, result);
  const FieldDescriptor* option = model.Serves(Task::kTranslate) ? FindOption(name) : nullptr;
  if (option != nullptr) return SetOption(*option, value, options);
  return absl::InvalidArgumentError("the model knows no such parameter");
}

absl::Status WithPath(const std::string& name, const absl::Status& status) {
  constexpr size_t kMaxNameBytes = 64;
  return absl::InvalidArgumentError(
      absl::StrCat("parameters.", name.substr(0, kMaxNameBytes), ": ", status.message()));
}

}  // namespace

absl::StatusOr<InferParameters> ReadParameters(const inference::ModelInferRequest& request,
                                               const EngineModel& model) {
  InferParameters result;
  v1::TranslationOptions options;
  for (const auto& [name, value] : request.parameters()) {
    const absl::Status status = SetParameter(name, value, model, options, result);
    if (!status.ok()) return WithPath(name, status);
  }
  absl::StatusOr<TranslationOptions> translation = ToTask(options);
  if (!translation.ok()) {  // "options.beam_size: ..."
    const absl::string_view message = translation.status().message();
    return absl::InvalidArgumentError(absl::StrCat("parameters", message.substr(message.find('.'))));
  }
  result.translation = *std::move(translation);
  return result;
}

}  // namespace attendant::kserve
