#include "engine/models/generation_config.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/json_fields.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"
#include "engine/models/config_fields.h"

namespace attendant {
namespace {

using nlohmann::json;

constexpr JsonFields::Range kLengthRange{0, 1 << 20};

// Keys that nothing here follows -> the values, besides null, with which they change nothing.
const std::map<std::string, std::vector<json>>& UnsupportedKeys() {
  static const auto* keys = new std::map<std::string, std::vector<json>>{
      {"assistant_early_exit", {}},
      {"begin_suppress_tokens", {json::array()}},
      {"constraints", {}},
      {"diversity_penalty", {0}},
      {"dola_layers", {}},
      {"encoder_no_repeat_ngram_size", {0}},
      {"encoder_repetition_penalty", {1}},
      {"epsilon_cutoff", {0}},
      {"eta_cutoff", {0}},
      {"exponential_decay_length_penalty", {}},
      {"force_words_ids", {}},
      {"guidance_scale", {1}},
      {"max_time", {}},
      {"min_p", {0}},
      {"num_beam_groups", {1}},
      {"penalty_alpha", {0}},
      {"remove_invalid_values", {false}},
      {"sequence_bias", {}},
      {"stop_strings", {}},
      {"token_healing", {false}},
      {"top_h", {}},
      {"typical_p", {1}},
      {"watermarking_config", {}},
  };
  return *keys;
}

void ReadEarlyStopping(JsonFields& fields, GenerationConfig& config) {
  using StopRule = GenerationConfig::StopRule;
  const json& value = fields.Get("early_stopping");
  if (value.is_null()) return;
  if (value.is_boolean()) {
    config.early_stopping = value.get<bool>() ? StopRule::kAtBeams : StopRule::kHeuristic;
  } else if (value == "never") {
    config.early_stopping = StopRule::kNever;
  } else {
    fields.Fail("early_stopping", "expected true, false or \"never\"");
  }
}

void ReadLength(JsonFields& fields, const std::string& key, std::optional<int32_t>& out) {
  if (!fields.Has(key)) return;
  int32_t length = 0;
  fields.Read(key, {1, kLengthRange.max}, length);
  out = length;
}

void ReadSearch(JsonFields& fields, GenerationConfig& config) {
  ReadLength(fields, "max_length", config.max_length);
  ReadLength(fields, "max_new_tokens", config.max_new_tokens);
  fields.Read("min_length", kLengthRange, config.min_length);
  fields.Read("min_new_tokens", kLengthRange, config.min_new_tokens);
  fields.Read("num_beams", {1, 32}, config.num_beams);
  fields.Read("num_return_sequences", {1, 32}, config.num_return_sequences);
  fields.Read("length_penalty", {-100, 100}, config.length_penalty);
  ReadEarlyStopping(fields, config);
  fields.Read("do_sample", config.do_sample);
  fields.Read("temperature", {1e-6, 1e6}, config.temperature);
  fields.Read("top_k", kLengthRange, config.top_k);
  fields.Read("top_p", {1e-6, 1}, config.top_p);
  if (!config.do_sample && config.num_return_sequences > config.num_beams) {
    fields.Fail("num_return_sequences", absl::StrCat(config.num_return_sequences, " is more than num_beams, ",
                                                     config.num_beams, ", and do_sample is off"));
  }
}

void ReadGenerationTokens(JsonFields& fields, JsonFields::Range ids, GenerationConfig& config) {
  SpecialTokens& tokens = config.tokens;
  fields.Read("pad_token_id", ids, tokens.pad);
  fields.Read("bos_token_id", ids, tokens.bos);
  fields.Read("eos_token_id", ids, tokens.eos);
  fields.Read("decoder_start_token_id", ids, tokens.decoder_start);
  fields.Read("forced_eos_token_id", ids, tokens.forced_eos);
  fields.Read("forced_bos_token_id", ids, config.forced_bos);
}

void ReadRules(JsonFields& fields, JsonFields::Range ids, GenerationConfig& config) {
  fields.Read("repetition_penalty", {1e-6, 1e6}, config.repetition_penalty);
  fields.Read("no_repeat_ngram_size", kLengthRange, config.no_repeat_ngram_size);
  fields.Read("bad_words_ids", ids, config.bad_words_ids);
  fields.Read("suppress_tokens", ids, config.suppress_tokens);
  fields.Read("renormalize_logits", config.renormalize_logits);
  const auto is_end = [&eos = config.tokens.eos](const std::vector<int32_t>& word) {
    return word.size() == 1 && std::find(eos.begin(), eos.end(), word[0]) != eos.end();
  };
  auto& words = config.bad_words_ids;
  words.erase(std::remove_if(words.begin(), words.end(), is_end), words.end());
}

std::vector<std::string> IgnoredKeys(const JsonFields& fields) {
  std::vector<std::string> ignored;
  for (const auto& [key, neutral] : UnsupportedKeys()) {
    const json& value = fields.Get(key);
    if (value.is_null() || std::find(neutral.begin(), neutral.end(), value) != neutral.end()) continue;
    ignored.push_back(key);
  }
  return ignored;
}

absl::StatusOr<GenerationConfig> Parse(std::string_view text, std::string_view source,
                                       const GenerationContext& context, const SpecialTokens& defaults) {
  ATTENDANT_ASSIGN_OR_RETURN(const json document,
                             ParseStrictJson(text, source, {.max_bytes = kMaxConfigBytes}));
  JsonFields fields(document, source);
  GenerationConfig config;
  config.tokens = defaults;
  const JsonFields::Range ids{0, static_cast<double>(context.vocab_size - 1)};
  ReadSearch(fields, config);
  ReadGenerationTokens(fields, ids, config);
  ReadRules(fields, ids, config);
  config.ignored_keys = IgnoredKeys(fields);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  return config;
}

}  // namespace

std::optional<int32_t> GenerationConfig::MaxGeneratedTokens() const {
  if (max_new_tokens) return max_new_tokens;
  if (max_length) return *max_length - 1;
  return std::nullopt;
}

int32_t GenerationConfig::MinTokensBeforeEnd() const {
  return std::max(min_length - 1, min_new_tokens);
}

absl::StatusOr<GenerationConfig> ParseGenerationConfig(std::string_view text, std::string_view source,
                                                       const GenerationContext& context) {
  SpecialTokens defaults = context.model_tokens;
  defaults.forced_eos.clear();
  return Parse(text, source, context, defaults);
}

absl::StatusOr<GenerationConfig> ParseLegacyGenerationConfig(std::string_view text, std::string_view source,
                                                             const GenerationContext& context) {
  return Parse(text, source, context, context.model_tokens);
}

absl::StatusOr<GenerationConfig> LoadGenerationConfig(const std::string& dir,
                                                      const GenerationContext& context) {
  constexpr char kFile[] = "generation_config.json";
  const absl::StatusOr<std::string> text = ReadTextFileWithin(dir, kFile, kMaxConfigBytes);
  if (text.ok()) return ParseGenerationConfig(*text, kFile, context);
  if (!absl::IsNotFound(text.status())) return text.status();
  constexpr char kLegacyFile[] = "config.json";
  ATTENDANT_ASSIGN_OR_RETURN(const std::string legacy, ReadTextFileWithin(dir, kLegacyFile, kMaxConfigBytes));
  return ParseLegacyGenerationConfig(legacy, kLegacyFile, context);
}

}  // namespace attendant
