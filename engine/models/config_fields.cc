#include "engine/models/config_fields.h"

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"

namespace attendant {
namespace {

using nlohmann::json;

constexpr int32_t kMaxLabels = 1 << 20;

struct ActivationName {
  std::string_view name;
  Activation activation;
};
constexpr ActivationName kActivationNames[] = {
    {"relu", Activation::kRelu},
    {"gelu", Activation::kGelu},
    {"swish", Activation::kSwish},
    {"silu", Activation::kSwish},
    {"tanh", Activation::kTanh},
    {"gelu_new", Activation::kGeluTanh},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
};

absl::Status Corrupt(std::string_view source, std::string_view what) {
  return absl::DataLossError(absl::StrCat(std::string(source), ": ", std::string(what)));
}

}  // namespace

void CheckHeads(JsonFields& fields, const std::string& key, int32_t heads, int32_t width) {
  if (width % heads != 0) fields.Fail(key, absl::StrCat(heads, " does not divide the width, ", width));
}

absl::Status ReadActivation(JsonFields& fields, const std::string& key, std::string_view source,
                            Activation& activation) {
  std::string name;
  fields.Read(key, name);
  if (name.empty()) return absl::OkStatus();
  for (const ActivationName& known : kActivationNames) {
    if (name != known.name) continue;
    activation = known.activation;
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      std::string(source), ": ", key, ": \"", absl::CHexEscape(name.substr(0, 64)),
      "\" is not supported (relu, gelu, gelu_new, gelu_pytorch_tanh, swish, silu and tanh are)"));
}

absl::StatusOr<std::vector<std::string>> ReadLabels(const json& config, std::string_view source) {
  std::vector<std::string> labels;
  const auto names = config.find("id2label");
  if (names != config.end() && names->is_object()) {
    labels.resize(names->size());
    for (const auto& [key, name] : names->items()) {
      int32_t id = -1;
      const bool is_number =
          absl::SimpleAtoi(key, &id) && id >= 0 && id < static_cast<int32_t>(labels.size());
      if (!is_number || !name.is_string() || name.get_ref<const std::string&>().empty()) {
        return Corrupt(source, "id2label: expected one name for each number from 0 on");
      }
      labels[static_cast<size_t>(id)] = name.get<std::string>();
    }
    for (const std::string& label : labels) {
      if (label.empty()) return Corrupt(source, "id2label: expected one name for each number from 0 on");
    }
    return labels;
  }
  const auto count = config.find("num_labels");
  if (count == config.end() || count->is_null()) return labels;
  if (!count->is_number_integer() || *count < 1 || *count > kMaxLabels) {
    return Corrupt(source, "num_labels: expected a positive integer");
  }
  for (int32_t i = 0; i < count->get<int32_t>(); ++i) labels.push_back(absl::StrCat("LABEL_", i));
  return labels;
}

absl::StatusOr<json> ReadConfig(const std::string& dir) {
  constexpr char kFile[] = "config.json";
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text, ReadTextFileWithin(dir, kFile, kMaxConfigBytes));
  ATTENDANT_ASSIGN_OR_RETURN(json config, ParseStrictJson(text, kFile, {.max_bytes = kMaxConfigBytes}));
  if (!config.is_object()) return Corrupt(kFile, "not a JSON object");
  return config;
}

std::string FirstArchitecture(const json& config) {
  const auto names = config.find("architectures");
  if (names == config.end() || !names->is_array() || names->empty() || !names->front().is_string()) return "";
  return names->front().get<std::string>();
}

}  // namespace attendant
