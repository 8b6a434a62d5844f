#include "engine/models/vit_config.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/models/config_fields.h"

namespace attendant {
namespace {

using nlohmann::json;

constexpr JsonFields::Range kImageRange{1, 4096};

// A number, or [height, width] of a square.
void ReadSquare(const json& document, const std::string& key, JsonFields& fields, int32_t& size) {
  std::vector<int32_t> sides = {size};
  fields.Read(key, kImageRange, sides);
  if (sides.empty() || sides.size() > 2 || sides.front() != sides.back()) {
    if (document.contains(key)) fields.Fail(key, "only squares are supported");
    return;
  }
  size = sides.front();
}

void ReadVitSizes(const json& document, JsonFields& fields, VitConfig& config) {
  fields.Read("hidden_size", kWidthRange, config.hidden_dim);
  fields.Read("num_hidden_layers", kLayersRange, config.num_layers);
  fields.Read("num_attention_heads", kHeadsRange, config.num_heads);
  fields.Read("intermediate_size", kFfnRange, config.ffn_dim);
  fields.Read("layer_norm_eps", {1e-20, 0.1}, config.norm_epsilon);
  ReadSquare(document, "image_size", fields, config.image_size);
  ReadSquare(document, "patch_size", fields, config.patch_size);
  CheckHeads(fields, "num_attention_heads", config.num_heads, config.hidden_dim);
  if (config.image_size < config.patch_size) fields.Fail("image_size", "is smaller than patch_size");
  if (config.grid() * config.grid() > VitConfig::kMaxPatches) {
    fields.Fail("patch_size",
                absl::StrCat("cuts an image into more than ", VitConfig::kMaxPatches, " patches"));
  }
}

absl::Status CheckVitSwitches(JsonFields& fields, std::string_view source) {
  int32_t channels = 3;
  bool qkv_bias = true;
  fields.Read("num_channels", {1, 1024}, channels);
  fields.Read("qkv_bias", qkv_bias);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  if (channels != 3) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(source), ": num_channels: only 3 is supported"));
  }
  if (!qkv_bias) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(source), ": qkv_bias: false is not supported"));
  }
  return absl::OkStatus();
}

}  // namespace

bool IsVit(std::string_view model_type) {
  return model_type == "vit" || model_type == "deit";
}

absl::StatusOr<VitConfig> ParseVitConfig(const json& document, std::string_view source) {
  JsonFields fields(document, source);
  VitConfig config;
  fields.Read("model_type", config.model_type);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  if (!IsVit(config.model_type)) {
    return absl::FailedPreconditionError(absl::StrCat(std::string(source), ": model_type \"",
                                                      config.model_type.substr(0, 64),
                                                      "\" is not an image encoder"));
  }
  config.is_deit = config.model_type == "deit";
  ReadVitSizes(document, fields, config);
  ATTENDANT_RETURN_IF_ERROR(ReadActivation(fields, "hidden_act", source, config.activation));
  ATTENDANT_RETURN_IF_ERROR(CheckVitSwitches(fields, source));
  const std::string architecture = FirstArchitecture(document);
  if (absl::EndsWith(architecture, "ForImageClassification")) config.head = VitHead::kClassToken;
  if (absl::EndsWith(architecture, "ForImageClassificationWithTeacher")) config.head = VitHead::kBothTokens;
  if (config.head == VitHead::kNone) return config;
  ATTENDANT_ASSIGN_OR_RETURN(config.labels, ReadLabels(document, source));
  if (config.labels.empty()) config.labels = {"LABEL_0", "LABEL_1"};  // The configuration class's default.
  config.is_multi_label =
      config.labels.size() == 1 || document.value("problem_type", json()) == "multi_label_classification";
  return config;
}

}  // namespace attendant
