#include "engine/models/registry.h"

#include <exception>
#include <new>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"
#include "engine/models/bert.h"
#include "engine/models/config_fields.h"
#include "engine/models/marian.h"
#include "engine/weights/safetensors.h"

namespace attendant {
namespace {

// Runs a loader; what it throws becomes a status.
template <typename Model, typename Load>
absl::StatusOr<std::unique_ptr<Model>> Guarded(const std::filesystem::path& dir, Load load) {
  try {
    return load();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat(dir.string(), ": not enough memory to load the model"));
  } catch (const std::exception& error) {  // dnnl::error: this processor cannot run what the model needs.
    return absl::InternalError(absl::StrCat(dir.string(), ": ", error.what()));
  }
}

absl::Status CheckKind(const std::filesystem::path& dir, ModelKind wanted) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string model_type, ReadModelType(dir));
  ATTENDANT_ASSIGN_OR_RETURN(const ModelKind kind, KindOf(model_type));
  if (kind == wanted) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(dir.string(), "/config.json: model_type: \"", model_type,
                                                    "\" is a model of another kind"));
}

}  // namespace

absl::StatusOr<std::string> ReadModelType(const std::filesystem::path& dir) {
  const std::string path = (dir / "config.json").string();
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text,
                             ReadTextFileWithin(dir.string(), "config.json", kMaxConfigBytes));
  ATTENDANT_ASSIGN_OR_RETURN(const nlohmann::json config, ParseStrictJson(text, path, JsonLimits()));
  if (!config.is_object() || !config.contains("model_type") || !config["model_type"].is_string()) {
    return absl::DataLossError(absl::StrCat(path, ": model_type: expected a string"));
  }
  return config["model_type"].get<std::string>();
}

absl::StatusOr<ModelKind> KindOf(std::string_view model_type) {
  if (model_type == "marian") return ModelKind::kSeq2Seq;
  if (IsBertFamily(model_type)) return ModelKind::kTextEncoder;
  if (IsVit(model_type)) return ModelKind::kVisionEncoder;
  return absl::FailedPreconditionError(absl::StrCat(
      "config.json: model_type: \"", absl::CHexEscape(std::string(model_type.substr(0, 64))),
      "\" is not an architecture that this engine runs; it runs marian; bert, roberta, camembert, "
      "xlm-roberta, distilbert and mpnet; vit and deit"));
}

absl::StatusOr<std::unique_ptr<Seq2Seq>> LoadSeq2Seq(const std::filesystem::path& dir) {
  ATTENDANT_RETURN_IF_ERROR(CheckKind(dir, ModelKind::kSeq2Seq));
  return Guarded<Seq2Seq>(dir, [&]() -> absl::StatusOr<std::unique_ptr<Seq2Seq>> {
    ATTENDANT_ASSIGN_OR_RETURN(const MarianConfig config, LoadMarianConfig(dir.string()));
    ATTENDANT_ASSIGN_OR_RETURN(WeightMap weights, LoadModelWeights(dir.string()));
    return BuildMarian(config, std::move(weights));
  });
}

absl::StatusOr<std::unique_ptr<TextEncoder>> LoadTextEncoder(const std::filesystem::path& dir) {
  ATTENDANT_RETURN_IF_ERROR(CheckKind(dir, ModelKind::kTextEncoder));
  return Guarded<TextEncoder>(dir, [&]() -> absl::StatusOr<std::unique_ptr<TextEncoder>> {
    ATTENDANT_ASSIGN_OR_RETURN(const nlohmann::json document, ReadConfig(dir.string()));
    ATTENDANT_ASSIGN_OR_RETURN(const BertConfig config, ParseBertConfig(document, "config.json"));
    ATTENDANT_ASSIGN_OR_RETURN(WeightMap weights, LoadModelWeights(dir.string()));
    return BuildBert(config, std::move(weights));
  });
}

absl::StatusOr<std::unique_ptr<VisionEncoder>> LoadVisionEncoder(const std::filesystem::path& dir,
                                                                 InputSize size) {
  ATTENDANT_RETURN_IF_ERROR(CheckKind(dir, ModelKind::kVisionEncoder));
  return Guarded<VisionEncoder>(dir, [&]() -> absl::StatusOr<std::unique_ptr<VisionEncoder>> {
    ATTENDANT_ASSIGN_OR_RETURN(const nlohmann::json document, ReadConfig(dir.string()));
    ATTENDANT_ASSIGN_OR_RETURN(const VitConfig config, ParseVitConfig(document, "config.json"));
    ATTENDANT_ASSIGN_OR_RETURN(WeightMap weights, LoadModelWeights(dir.string()));
    return BuildVit(config, size, std::move(weights));
  });
}

}  // namespace attendant
