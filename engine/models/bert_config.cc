#include "engine/models/bert_config.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/models/config_fields.h"

namespace attendant {
namespace {

using nlohmann::json;

struct FamilyName {
  std::string_view model_type;
  BertFamily family;
};
constexpr FamilyName kFamilies[] = {{"bert", BertFamily::kBert},
                                    {"roberta", BertFamily::kRoberta},
                                    {"camembert", BertFamily::kRoberta},
                                    {"xlm-roberta", BertFamily::kXlmRoberta},
                                    {"distilbert", BertFamily::kDistilBert},
                                    {"mpnet", BertFamily::kMpnet}};

bool IsRoberta(BertFamily family) {
  return family == BertFamily::kRoberta || family == BertFamily::kXlmRoberta;
}

// The defaults of each family's configuration class.
BertConfig Defaults(BertFamily family) {
  BertConfig config;
  config.family = family;
  if (family == BertFamily::kBert || IsRoberta(family)) config.num_types = 2;
  if (IsRoberta(family)) config.vocab_size = 50265;
  if (family == BertFamily::kDistilBert) config.num_layers = 6;
  if (family == BertFamily::kMpnet) {
    config.vocab_size = 30527;
    config.num_distance_buckets = 32;
  }
  return config;
}

void ReadBertSizes(JsonFields& fields, BertConfig& config) {
  const bool is_distil = config.family == BertFamily::kDistilBert;
  const auto key = [is_distil](const char* usual, const char* distil) { return is_distil ? distil : usual; };
  fields.Read("vocab_size", kVocabRange, config.vocab_size);
  fields.Read(key("hidden_size", "dim"), kWidthRange, config.hidden_dim);
  fields.Read(key("num_hidden_layers", "n_layers"), kLayersRange, config.num_layers);
  fields.Read(key("num_attention_heads", "n_heads"), kHeadsRange, config.num_heads);
  fields.Read(key("intermediate_size", "hidden_dim"), kFfnRange, config.ffn_dim);
  fields.Read("max_position_embeddings", kPositionsRange, config.num_positions);
  if (config.num_types > 0) fields.Read("type_vocab_size", {0, 1024}, config.num_types);
  if (!is_distil) fields.Read("layer_norm_eps", {1e-20, 0.1}, config.norm_epsilon);
  if (config.num_distance_buckets > 0) {
    fields.Read("relative_attention_num_buckets", {32, 1024}, config.num_distance_buckets);
  }
  CheckHeads(fields, key("num_attention_heads", "n_heads"), config.num_heads, config.hidden_dim);
}

// RoBERTa and MPNet count positions from after the padding index.
void ReadFirstPosition(JsonFields& fields, BertConfig& config) {
  if (!IsRoberta(config.family) && config.family != BertFamily::kMpnet) return;
  int32_t padding = 1;
  fields.Read("pad_token_id", {0, kPositionsRange.max}, padding);
  config.first_position = padding + 1;
  if (config.first_position >= config.num_positions) {
    fields.Fail("max_position_embeddings", "leaves no position after pad_token_id");
  }
}

absl::Status CheckBertSwitches(const json& document, std::string_view source) {
  const auto position_type = document.find("position_embedding_type");
  if (position_type != document.end() && position_type->is_string() && *position_type != "absolute") {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(source), ": position_embedding_type: only \"absolute\" is supported"));
  }
  if (document.value("is_decoder", json(false)) == true) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(source), ": is_decoder: this engine runs such models as encoders only"));
  }
  return absl::OkStatus();
}

absl::Status ReadHead(const json& document, std::string_view source, BertConfig& config) {
  const std::string architecture = FirstArchitecture(document);
  if (absl::EndsWith(architecture, "ForSequenceClassification")) config.head = TextHead::kSequence;
  if (absl::EndsWith(architecture, "ForTokenClassification")) config.head = TextHead::kTokens;
  if (config.head == TextHead::kNone) return absl::OkStatus();
  ATTENDANT_ASSIGN_OR_RETURN(config.labels, ReadLabels(document, source));
  if (config.labels.empty()) config.labels = {"LABEL_0", "LABEL_1"};  // The configuration class's default.
  config.is_multi_label = config.labels.size() == 1;                  // One label is a yes or no of its own.
  const auto problem = document.find("problem_type");
  if (problem == document.end() || problem->is_null()) return absl::OkStatus();
  if (*problem == "regression") {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(source), ": problem_type: \"regression\" is not supported"));
  }
  config.is_multi_label = config.is_multi_label || *problem == "multi_label_classification";
  return absl::OkStatus();
}

}  // namespace

bool IsBertFamily(std::string_view model_type) {
  for (const FamilyName& known : kFamilies) {
    if (known.model_type == model_type) return true;
  }
  return false;
}

absl::StatusOr<BertConfig> ParseBertConfig(const json& document, std::string_view source) {
  JsonFields fields(document, source);
  std::string model_type;
  fields.Read("model_type", model_type);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  for (const FamilyName& known : kFamilies) {
    if (known.model_type != model_type) continue;
    BertConfig config = Defaults(known.family);
    config.model_type = model_type;
    ReadBertSizes(fields, config);
    ReadFirstPosition(fields, config);
    const bool is_distil = known.family == BertFamily::kDistilBert;
    ATTENDANT_RETURN_IF_ERROR(
        ReadActivation(fields, is_distil ? "activation" : "hidden_act", source, config.activation));
    ATTENDANT_RETURN_IF_ERROR(fields.status());
    ATTENDANT_RETURN_IF_ERROR(CheckBertSwitches(document, source));
    ATTENDANT_RETURN_IF_ERROR(ReadHead(document, source, config));
    return config;
  }
  return absl::FailedPreconditionError(absl::StrCat(std::string(source), ": model_type \"",
                                                    model_type.substr(0, 64), "\" is not a text encoder"));
}

}  // namespace attendant
