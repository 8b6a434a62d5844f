// config.json and generation_config.json that nobody has checked: an error, or values that keep what their
// headers promise.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/models/generation_config.h"
#include "engine/models/marian_config.h"

namespace {

void Expect(bool holds) {
  if (!holds) std::abort();
}

void CheckIds(const attendant::SpecialTokens& tokens, int32_t vocab_size) {
  Expect(tokens.pad < vocab_size && tokens.bos < vocab_size && tokens.decoder_start < vocab_size);
  for (const int32_t id : tokens.eos) Expect(id >= 0 && id < vocab_size);
  for (const int32_t id : tokens.forced_eos) Expect(id >= 0 && id < vocab_size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
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
