#include "engine/models/marian_config.h"

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/json_fields.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"
#include "engine/models/config_fields.h"

namespace attendant {
namespace {

using nlohmann::json;

void ReadMarianSizes(JsonFields& fields, MarianConfig& config) {
  fields.Read("vocab_size", kVocabRange, config.vocab_size);
  fields.Read("decoder_vocab_size", {0, kVocabRange.max}, config.decoder_vocab_size);
  if (config.decoder_vocab_size == 0) config.decoder_vocab_size = config.vocab_size;
  fields.Read("d_model", kWidthRange, config.d_model);
  fields.Read("encoder_layers", kLayersRange, config.encoder_layers);
  fields.Read("decoder_layers", kLayersRange, config.decoder_layers);
  fields.Read("encoder_attention_heads", kHeadsRange, config.encoder_attention_heads);
  fields.Read("decoder_attention_heads", kHeadsRange, config.decoder_attention_heads);
  fields.Read("encoder_ffn_dim", kFfnRange, config.encoder_ffn_dim);
  fields.Read("decoder_ffn_dim", kFfnRange, config.decoder_ffn_dim);
  fields.Read("max_position_embeddings", kPositionsRange, config.max_position_embeddings);
  for (const auto& [key, heads] : {std::pair("encoder_attention_heads", config.encoder_attention_heads),
                                   std::pair("decoder_attention_heads", config.decoder_attention_heads)}) {
    if (config.d_model % heads != 0) {
      fields.Fail(key, absl::StrCat(heads, " does not divide d_model, ", config.d_model));
    }
  }
}

void ReadSwitches(JsonFields& fields, MarianConfig& config) {
  fields.Read("scale_embedding", config.scale_embedding);
  fields.Read("share_encoder_decoder_embeddings", config.share_encoder_decoder_embeddings);
  fields.Read("tie_word_embeddings", config.tie_word_embeddings);
}

void ReadMarianTokens(JsonFields& fields, MarianConfig& config) {
  SpecialTokens& tokens = config.tokens;
  fields.Read("pad_token_id", {0, kVocabRange.max}, tokens.pad);
  fields.Read("bos_token_id", {0, kVocabRange.max}, tokens.bos);
  fields.Read("eos_token_id", {0, kVocabRange.max}, tokens.eos);
  fields.Read("decoder_start_token_id", {0, kVocabRange.max}, tokens.decoder_start);
  fields.Read("forced_eos_token_id", {0, kVocabRange.max}, tokens.forced_eos);
}

// Also the defaults must fit: a small vocabulary needs its own pad_token_id.
void CheckTokens(JsonFields& fields, const MarianConfig& config) {
  const auto check = [&fields](const char* key, int32_t id, int32_t vocab_size) {
    if (id >= vocab_size)
      fields.Fail(key, absl::StrCat(id, " is not below the vocabulary's size, ", vocab_size));
  };
  const SpecialTokens& tokens = config.tokens;
  check("pad_token_id", tokens.pad, config.vocab_size);
  check("pad_token_id", tokens.pad, config.target_vocab_size());
  check("decoder_start_token_id", tokens.decoder_start, config.target_vocab_size());
  check("bos_token_id", tokens.bos, config.target_vocab_size());
  for (const int32_t id : tokens.eos) check("eos_token_id", id, config.target_vocab_size());
  for (const int32_t id : tokens.forced_eos) check("forced_eos_token_id", id, config.target_vocab_size());
}

absl::Status CheckIsMarian(JsonFields& fields, std::string_view source) {
  std::string model_type;
  bool is_encoder_decoder = true;
  fields.Read("model_type", model_type);
  fields.Read("is_encoder_decoder", is_encoder_decoder);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  if (model_type == "marian" && is_encoder_decoder) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      std::string(source), ": model_type \"", absl::CHexEscape(model_type.substr(0, 64)),
      "\", is_encoder_decoder ", is_encoder_decoder ? "true" : "false", " is not a Marian encoder-decoder"));
}

}  // namespace

absl::StatusOr<MarianConfig> ParseMarianConfig(std::string_view text, std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(const json document,
                             ParseStrictJson(text, source, {.max_bytes = kMaxConfigBytes}));
  JsonFields fields(document, source);
  ATTENDANT_RETURN_IF_ERROR(CheckIsMarian(fields, source));
  MarianConfig config;
  ReadMarianSizes(fields, config);
  ReadSwitches(fields, config);
  ReadMarianTokens(fields, config);
  CheckTokens(fields, config);
  ATTENDANT_RETURN_IF_ERROR(ReadActivation(fields, "activation_function", source, config.activation));
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  return config;
}

absl::StatusOr<MarianConfig> LoadMarianConfig(const std::string& dir) {
  constexpr char kFile[] = "config.json";
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text, ReadTextFileWithin(dir, kFile, kMaxConfigBytes));
  return ParseMarianConfig(text, kFile);
}

}  // namespace attendant
