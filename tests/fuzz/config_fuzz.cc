// config.json, of each architecture, and generation_config.json that nobody has checked: an error, or values
// that keep what their headers promise.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/base/strict_json.h"
#include "engine/models/bert_config.h"
#include "engine/models/config_fields.h"
#include "engine/models/generation_config.h"
#include "engine/models/marian_config.h"
#include "engine/models/vit_config.h"

namespace {

void Expect(bool holds) {
  if (!holds) std::abort();
}

void CheckIds(const attendant::SpecialTokens& tokens, int32_t vocab_size) {
  Expect(tokens.pad < vocab_size && tokens.bos < vocab_size && tokens.decoder_start < vocab_size);
  for (const int32_t id : tokens.eos) Expect(id >= 0 && id < vocab_size);
  for (const int32_t id : tokens.forced_eos) Expect(id >= 0 && id < vocab_size);
}

// What a model allocates by its configuration alone, and divides by.
template <typename Config>
void CheckEncoder(const Config& config) {
  Expect(config.num_heads >= 1 && config.hidden_dim >= 1 && config.hidden_dim % config.num_heads == 0);
  Expect(config.hidden_dim <= attendant::kWidthRange.max && config.ffn_dim <= attendant::kFfnRange.max);
  Expect(config.num_layers >= 1 && config.num_layers <= attendant::kLayersRange.max && config.ffn_dim >= 1);
  Expect(config.norm_epsilon > 0);
  for (const std::string& label : config.labels) Expect(!label.empty());
}

void CheckEncoders(std::string_view text) {
  const auto document = attendant::ParseStrictJson(text, "config.json", {.max_bytes = 1 << 20});
  if (!document.ok()) return;
  if (const auto bert = attendant::ParseBertConfig(*document, "config.json"); bert.ok()) {
    Expect(attendant::IsBertFamily(bert->model_type));
    CheckEncoder(*bert);
    Expect(bert->max_tokens() >= 1 && bert->first_position >= 0 && bert->num_types >= 0);
    Expect(bert->num_positions <= attendant::kPositionsRange.max);
    Expect(bert->num_distance_buckets == 0 || bert->num_distance_buckets >= 32);
    Expect(bert->labels.empty() == (bert->head == attendant::TextHead::kNone));
  }
  if (const auto vit = attendant::ParseVitConfig(*document, "config.json"); vit.ok()) {
    Expect(attendant::IsVit(vit->model_type));
    CheckEncoder(*vit);
    Expect(vit->grid() >= 1 && vit->grid() * vit->grid() <= attendant::VitConfig::kMaxPatches);
    Expect(vit->labels.empty() == (vit->head == attendant::VitHead::kNone));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckEncoders(text);
  attendant::GenerationContext context{.vocab_size = 100, .model_tokens = {}};
  if (const auto config = attendant::ParseMarianConfig(text, "config.json"); config.ok()) {
    Expect(config->d_model % config->encoder_attention_heads == 0);
    Expect(config->d_model % config->decoder_attention_heads == 0);
    CheckIds(config->tokens, config->target_vocab_size());
    context = {.vocab_size = config->target_vocab_size(), .model_tokens = config->tokens};
  }
  for (const auto& config : {attendant::ParseGenerationConfig(text, "generation_config.json", context),
                             attendant::ParseLegacyGenerationConfig(text, "config.json", context)}) {
    if (!config.ok()) continue;
    CheckIds(config->tokens, context.vocab_size);
    Expect(config->MinTokensBeforeEnd() >= 0 && config->MaxGeneratedTokens().value_or(1) >= 0);
    for (const auto& word : config->bad_words_ids) Expect(!word.empty());
  }
  return 0;
}
