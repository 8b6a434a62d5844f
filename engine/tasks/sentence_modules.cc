#include "engine/tasks/sentence_modules.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/json_fields.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"
#include "engine/weights/safetensors.h"
#include "engine/weights/weight_map.h"

namespace attendant {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t kMaxFileBytes = 4 << 20;
constexpr JsonFields::Range kDimRange{1, 65536};
constexpr size_t kMaxModules = 64;  // Each may be a matrix in memory, all of one file.

struct PoolingName {
  const char* mode;  // In "pooling_mode", of 5.4 and later.
  const char* flag;  // True or false, before that.
  Pooling pooling;
};
constexpr PoolingName kPoolingNames[] = {
    {"cls", "pooling_mode_cls_token", Pooling::kCls},
    {"max", "pooling_mode_max_tokens", Pooling::kMax},
    {"mean", "pooling_mode_mean_tokens", Pooling::kMean},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Pooling::kMeanSqrtLength},
    {"weightedmean", "pooling_mode_weightedmean_tokens", Pooling::kWeightedMean},
    {"lasttoken", "pooling_mode_lasttoken", Pooling::kLastToken},
};

// A file of a directory that is the model's.
absl::StatusOr<json> ReadJson(const fs::path& file) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text,
                             ReadTextFileWithin(file.parent_path(), file.filename().string(), kMaxFileBytes));
  return ParseStrictJson(text, file.string(), {.max_bytes = kMaxFileBytes});
}

// An empty object where there is no file.
absl::StatusOr<json> ReadJsonIfThere(const fs::path& file) {
  absl::StatusOr<json> document = ReadJson(file);
  if (absl::IsNotFound(document.status())) return json::object();
  return document;
}

std::vector<Pooling> ReadPoolingFlags(JsonFields& fields) {
  std::vector<Pooling> poolings;
  for (const PoolingName& name : kPoolingNames) {
    bool is_on = false;
    fields.Read(name.flag, is_on);
    if (is_on) poolings.push_back(name.pooling);
  }
  if (poolings.empty()) poolings.push_back(Pooling::kMean);
  return poolings;
}

// One name, or a list of them whose order is that of the vector's parts.
std::vector<Pooling> ReadPoolingMode(JsonFields& fields) {
  const json& modes = fields.Get("pooling_mode");
  const json list = modes.is_array() ? modes : json::array({modes});
  std::vector<Pooling> poolings;
  if (list.empty() || list.size() > std::size(kPoolingNames)) fields.Fail("pooling_mode", "expected 1 to 6");
  for (const json& mode : list) {
    const auto* const found = std::find_if(std::begin(kPoolingNames), std::end(kPoolingNames),
                                           [&](const PoolingName& name) { return mode == name.mode; });
    if (found == std::end(kPoolingNames)) {
      fields.Fail("pooling_mode", "is no way to pool");
    } else {
      poolings.push_back(found->pooling);
    }
  }
  return poolings;
}

// Modules may be told to work on something else than the text's vector.
absl::Status CheckInputAndOutput(JsonFields& fields, const std::string& path) {
  constexpr char kVector[] = "sentence_embedding";
  std::string input = kVector, output = kVector;
  fields.Read("module_input_name", input);
  fields.Read("module_output_name", output);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  if (input == kVector && output == kVector) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": module_input_name, module_output_name: only \"", kVector, "\" is supported"));
}

// Tokens first..tokens of one text. Sums in order of the tokens.
struct Rows {
  const float* hidden;
  int32_t first;
  int32_t tokens;
  int32_t dim;
  const float* Row(int32_t t) const { return hidden + int64_t{t} * dim; }
};

void AddWeighted(const Rows& rows, bool by_position, float* out) {
  std::fill_n(out, rows.dim, 0.0f);
  float total = 0;
  for (int32_t t = rows.first; t < rows.tokens; ++t) {
    const float weight = by_position ? static_cast<float>(t + 1) : 1.0f;
    total += weight;
    for (int32_t d = 0; d < rows.dim; ++d) out[d] += weight * rows.Row(t)[d];
  }
  for (int32_t d = 0; d < rows.dim; ++d) out[d] /= total;
}

void Pool(Pooling pooling, const Rows& rows, float* out) {
  switch (pooling) {
    case Pooling::kCls:
      std::copy_n(rows.Row(rows.first), rows.dim, out);
      return;
    case Pooling::kMax:
      std::copy_n(rows.Row(rows.first), rows.dim, out);
      for (int32_t t = rows.first + 1; t < rows.tokens; ++t) {
        for (int32_t d = 0; d < rows.dim; ++d) out[d] = std::max(out[d], rows.Row(t)[d]);
      }
      return;
    case Pooling::kMean:
      AddWeighted(rows, /*by_position=*/false, out);
      return;
    case Pooling::kMeanSqrtLength: {
      AddWeighted(rows, /*by_position=*/false, out);
      const float root = std::sqrt(static_cast<float>(rows.tokens - rows.first));
      for (int32_t d = 0; d < rows.dim; ++d) out[d] *= root;
      return;
    }
    case Pooling::kWeightedMean:
      AddWeighted(rows, /*by_position=*/true, out);
      return;
    case Pooling::kLastToken:
      std::copy_n(rows.Row(rows.tokens - 1), rows.dim, out);
      return;
  }
}

absl::StatusOr<Activation> ActivationOf(const std::string& name, const std::string& path) {
  constexpr std::pair<const char*, Activation> kActivations[] = {{".Tanh", Activation::kTanh},
                                                                 {".Identity", Activation::kNone},
                                                                 {".ReLU", Activation::kRelu},
                                                                 {".GELU", Activation::kGelu},
                                                                 {".SiLU", Activation::kSwish}};
  for (const auto& [suffix, activation] : kActivations) {
    if (absl::StartsWith(name, "torch.") && absl::EndsWith(name, suffix)) return activation;
  }
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": activation_function: \"", absl::CHexEscape(name.substr(0, 64)),
                   "\" is not supported (torch's Tanh, Identity, ReLU, GELU and SiLU are)"));
}

}  // namespace

void NormalizeLength(absl::Span<float> embedding) {
  double squares = 0;
  for (const float value : embedding) squares += double{value} * value;
  if (squares == 0) return;
  const double length = std::sqrt(squares);
  for (float& value : embedding) value = static_cast<float>(value / length);
}

absl::StatusOr<SentenceModules> SentenceModules::Load(const fs::path& dir, int32_t hidden_dim) {
  SentenceModules modules;
  modules.hidden_dim_ = modules.embedding_dim_ = hidden_dim;
  const std::string path = dir / "modules.json";
  const absl::StatusOr<json> list = ReadJson(path);
  if (absl::IsNotFound(list.status())) {
    modules.pooling_ = {Pooling::kMean};
    return modules;
  }
  ATTENDANT_RETURN_IF_ERROR(list.status());
  modules.is_of_sentence_transformers_ = true;
  if (!list->is_array()) return absl::DataLossError(absl::StrCat(path, ": expected a list of modules"));
  if (list->size() > kMaxModules) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": ", list->size(), " modules; the limit is ", kMaxModules));
  }
  for (const json& module : *list) {
    JsonFields fields(module, path);
    std::string type, folder;
    fields.Read("type", type);
    fields.Read("path", folder);
    ATTENDANT_RETURN_IF_ERROR(fields.status());
    ATTENDANT_RETURN_IF_ERROR(modules.LoadModule(dir, type, folder));
  }
  if (modules.pooling_.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": has no Pooling, so texts have no one vector"));
  }
  ATTENDANT_RETURN_IF_ERROR(modules.LoadLimits(dir));
  ATTENDANT_RETURN_IF_ERROR(modules.LoadPrompts(dir));
  return modules;
}

absl::Status SentenceModules::LoadModule(const fs::path& dir, const std::string& type,
                                         const std::string& path) {
  const std::string kind = type.substr(type.rfind('.') + 1);
  if (kind == "Transformer" && path.empty()) return absl::OkStatus();
  // The one order that published models have; in another the vectors would be others.
  const bool is_out_of_order = normalizes_ || (kind == "Pooling") != pooling_.empty();
  if (is_out_of_order && (kind == "Normalize" || kind == "Pooling" || kind == "Dense")) {
    return absl::FailedPreconditionError(
        absl::StrCat((dir / "modules.json").string(),
                     ": only the order Transformer, Pooling, any Dense, Normalize is supported"));
  }
  if (kind == "Normalize") return LoadNormalize(dir, path);
  if (kind == "Pooling" || kind == "Dense") {
    ATTENDANT_ASSIGN_OR_RETURN(const std::string folder, ResolveWithin(dir.string(), path));
    return kind == "Pooling" ? LoadPooling(folder) : LoadDense(folder);
  }
  return absl::FailedPreconditionError(absl::StrCat(
      (dir / "modules.json").string(), ": module \"", absl::CHexEscape(type.substr(0, 128)),
      "\" is not supported (a Transformer in the directory itself, Pooling, Dense and Normalize are)"));
}

// Older directories have no file for it, and often no folder.
absl::Status SentenceModules::LoadNormalize(const fs::path& dir, const std::string& path) {
  normalizes_ = true;
  if (path.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> folder = ResolveWithin(dir.string(), path);
  if (absl::IsNotFound(folder.status())) return absl::OkStatus();
  ATTENDANT_RETURN_IF_ERROR(folder.status());
  const std::string file = *folder + "/config.json";
  ATTENDANT_ASSIGN_OR_RETURN(const json document, ReadJsonIfThere(file));
  JsonFields fields(document, file);
  return CheckInputAndOutput(fields, file);
}

absl::Status SentenceModules::LoadPooling(const fs::path& dir) {
  const std::string path = dir / "config.json";
  ATTENDANT_ASSIGN_OR_RETURN(const json document, ReadJson(path));
  JsonFields fields(document, path);
  int32_t dim = hidden_dim_;
  fields.Read("word_embedding_dimension", kDimRange, dim);
  fields.Read("embedding_dimension", kDimRange, dim);
  fields.Read("include_prompt", pools_prompt_);
  pooling_ = fields.Has("pooling_mode") ? ReadPoolingMode(fields) : ReadPoolingFlags(fields);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  if (dim != hidden_dim_) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": embedding_dimension is ", dim, ", the encoder gives ", hidden_dim_));
  }
  embedding_dim_ = hidden_dim_ * static_cast<int32_t>(pooling_.size());
  return absl::OkStatus();
}

absl::Status SentenceModules::LoadDense(const fs::path& dir) {
  const std::string path = dir / "config.json";
  ATTENDANT_ASSIGN_OR_RETURN(const json document, ReadJson(path));
  JsonFields fields(document, path);
  int32_t in_dim = 0, out_dim = 0;
  bool has_bias = true, has_residual = false;
  std::string name = "torch.nn.modules.activation.Tanh";
  fields.Read("in_features", kDimRange, in_dim);
  fields.Read("out_features", kDimRange, out_dim);
  fields.Read("bias", has_bias);
  fields.Read("activation_function", name);
  fields.Read("use_residual", has_residual);
  ATTENDANT_RETURN_IF_ERROR(CheckInputAndOutput(fields, path));
  if (has_residual) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": use_residual is not supported"));
  }
  if (out_dim == 0) return absl::FailedPreconditionError(absl::StrCat(path, ": out_features is missing"));
  if (in_dim != embedding_dim_) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": in_features is ", in_dim, ", what comes before gives ", embedding_dim_));
  }
  ATTENDANT_ASSIGN_OR_RETURN(const Activation activation, ActivationOf(name, path));
  ATTENDANT_ASSIGN_OR_RETURN(const std::string file, ResolveWithin(dir.string(), "model.safetensors"));
  ATTENDANT_ASSIGN_OR_RETURN(WeightMap weights, LoadSafetensors(file));
  ATTENDANT_ASSIGN_OR_RETURN(const TensorView matrix, weights.Require("linear.weight", {out_dim, in_dim}));
  Tensor bias(DType::kF32, {out_dim});
  if (has_bias) {
    ATTENDANT_ASSIGN_OR_RETURN(const TensorView stored, weights.Require("linear.bias", {out_dim}));
    WidenToF32(stored.dtype, stored.data, bias.f32());
  }
  ATTENDANT_RETURN_IF_ERROR(weights.CheckAllFinite());
  ATTENDANT_RETURN_IF_ERROR(weights.CheckAllUsed({}));
  const Tensor wide = ToF32(matrix);
  dense_.push_back(
      Linear({wide.f32().data(), bias.f32().data(), in_dim, out_dim}, activation, LinearOutput::kStore));
  embedding_dim_ = out_dim;
  return absl::OkStatus();
}

absl::Status SentenceModules::LoadLimits(const fs::path& dir) {
  for (const char* family :
       {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"}) {
    const std::string path = dir / absl::StrCat("sentence_", family, "_config.json");
    ATTENDANT_ASSIGN_OR_RETURN(const json document, ReadJsonIfThere(path));
    if (document.empty()) continue;
    JsonFields fields(document, path);
    fields.Read("max_seq_length", {1, 1 << 20}, max_tokens_);
    fields.Read("do_lower_case", lowercases_);
    ATTENDANT_RETURN_IF_ERROR(fields.status());
    break;
  }
  if (max_tokens_ > 0) return absl::OkStatus();
  ATTENDANT_ASSIGN_OR_RETURN(const json tokenizer, ReadJsonIfThere(dir / "tokenizer_config.json"));
  const auto limit = tokenizer.is_object() ? tokenizer.find("model_max_length") : tokenizer.end();
  if (limit == tokenizer.end() || !limit->is_number()) return absl::OkStatus();
  const double tokens = limit->get<double>();  // 1e30 stands for none.
  if (tokens >= 1 && tokens <= 1 << 20) max_tokens_ = static_cast<int32_t>(tokens);
  return absl::OkStatus();
}

absl::Status SentenceModules::LoadPrompts(const fs::path& dir) {
  const std::string path = dir / "config_sentence_transformers.json";
  ATTENDANT_ASSIGN_OR_RETURN(const json document, ReadJsonIfThere(path));
  JsonFields fields(document, path);
  fields.Read("default_prompt_name", default_prompt_);
  const json& prompts = fields.Get("prompts");
  if (prompts.is_object()) {
    for (const auto& [name, prompt] : prompts.items()) {
      if (prompt.is_null()) {
        prompts_[name] = "";
        continue;
      }
      if (!prompt.is_string()) {
        fields.Fail("prompts", "expected texts by name");
        continue;
      }
      prompts_[name] = prompt.get<std::string>();
    }
  }
  if (!default_prompt_.empty() && prompts_.count(default_prompt_) == 0) {
    fields.Fail("default_prompt_name", "is not one of prompts");
  }
  return fields.status();
}

void SentenceModules::Embed(const float* hidden, int32_t tokens, int32_t skipped, float* embedding,
                            Workspace& workspace) const {
  const Workspace::Scope scope(workspace);
  const Rows rows{hidden, std::min(skipped, tokens - 1), tokens, hidden_dim_};
  size_t widest = static_cast<size_t>(hidden_dim_) * pooling_.size();
  for (const Linear& dense : dense_) widest = std::max(widest, static_cast<size_t>(dense.out_dim()));
  absl::Span<float> now = workspace.Alloc<float>(widest);
  absl::Span<float> next = workspace.Alloc<float>(widest);
  for (size_t i = 0; i < pooling_.size(); ++i) {
    Pool(pooling_[i], rows, now.data() + i * static_cast<size_t>(hidden_dim_));
  }
  for (const Linear& dense : dense_) {
    dense.Run(now.data(), 1, next.data(), workspace);
    std::swap(now, next);
  }
  std::copy_n(now.data(), embedding_dim_, embedding);
}

}  // namespace attendant
