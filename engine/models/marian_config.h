#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/models/generation_config.h"
#include "engine/ops/linear.h"

namespace attendant {

// config.json of a Marian model as Hugging Face `transformers` reads it (MarianConfig, 5.12); the values here
// are its defaults. Everything in it has been checked: sizes are bounded, d_model is a multiple of the heads,
// ids lie within the vocabulary. normalize_before, add_final_layer_norm, normalize_embedding and
// add_bias_logits are not here: `transformers` does not read them and always computes the post-norm Marian
// with final_logits_bias.
struct MarianConfig {
  int32_t vocab_size = 58101;
  int32_t decoder_vocab_size = 0;  // Absent or 0 in the file: vocab_size. Never 0 here.
  int32_t d_model = 1024;
  int32_t encoder_layers = 12;
  int32_t decoder_layers = 12;
  int32_t encoder_attention_heads = 16;
  int32_t decoder_attention_heads = 16;
  int32_t encoder_ffn_dim = 4096;
  int32_t decoder_ffn_dim = 4096;
  Activation activation = Activation::kGelu;
  bool scale_embedding = false;  // Embeddings times sqrt(d_model).
  bool share_encoder_decoder_embeddings = true;
  bool tie_word_embeddings = true;  // The output layer is the decoder's embedding.
  int32_t max_position_embeddings = 1024;
  SpecialTokens tokens{.pad = 58100, .bos = -1, .eos = {0}, .decoder_start = 58100, .forced_eos = {0}};

  // Of the decoder's input and of the logits.
  int32_t target_vocab_size() const {
    return share_encoder_decoder_embeddings ? vocab_size : decoder_vocab_size;
  }
};

// Errors: DATA_LOSS "SOURCE: key: what is wrong"; FAILED_PRECONDITION for a model of another kind or a switch
// that is not supported.
absl::StatusOr<MarianConfig> ParseMarianConfig(std::string_view text, std::string_view source);

// Reads DIR/config.json.
absl::StatusOr<MarianConfig> LoadMarianConfig(const std::string& dir);

}  // namespace attendant
