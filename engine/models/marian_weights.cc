#include "engine/models/marian_weights.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/models/weight_loading.h"

namespace attendant {
namespace {

constexpr char kPositions[] = ".embed_positions.weight";

absl::StatusOr<SelfAttention> LoadSelfAttention(const WeightLoader& load, HeadLayout layout, int64_t dim) {
  ATTENDANT_ASSIGN_OR_RETURN(
      Linear qkv, load.Fused({"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}, dim, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Linear output, load.Residual("self_attn.out_proj", dim, dim));
  return SelfAttention(layout, std::move(qkv), std::move(output));
}

absl::StatusOr<CrossAttention> LoadCrossAttention(const WeightLoader& load, HeadLayout layout, int64_t dim) {
  ATTENDANT_ASSIGN_OR_RETURN(Linear query, load.Fused({"encoder_attn.q_proj"}, dim, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Linear key_value,
                             load.Fused({"encoder_attn.k_proj", "encoder_attn.v_proj"}, dim, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Linear output, load.Residual("encoder_attn.out_proj", dim, dim));
  return CrossAttention(layout, std::move(query), std::move(key_value), std::move(output));
}

absl::StatusOr<FeedForward> LoadFeedForward(const WeightLoader& load, int64_t dim, int64_t ffn_dim,
                                            Activation activation) {
  ATTENDANT_ASSIGN_OR_RETURN(Linear up, load.Activated("fc1", dim, ffn_dim, activation));
  ATTENDANT_ASSIGN_OR_RETURN(Linear down, load.Residual("fc2", ffn_dim, dim));
  return FeedForward(std::move(up), std::move(down));
}

absl::StatusOr<EncoderLayer> LoadEncoderLayer(const MarianConfig& config, WeightMap& weights, int layer) {
  const WeightLoader load(weights, absl::StrCat("model.encoder.layers.", layer, "."));
  const int64_t dim = config.d_model;
  const HeadLayout layout{config.encoder_attention_heads, config.d_model / config.encoder_attention_heads};
  ATTENDANT_ASSIGN_OR_RETURN(SelfAttention attention, LoadSelfAttention(load, layout, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Normalization attention_norm,
                             load.Norm("self_attn_layer_norm", dim, Normalization::kUsualEpsilon));
  ATTENDANT_ASSIGN_OR_RETURN(FeedForward feed_forward,
                             LoadFeedForward(load, dim, config.encoder_ffn_dim, config.activation));
  ATTENDANT_ASSIGN_OR_RETURN(Normalization final_norm,
                             load.Norm("final_layer_norm", dim, Normalization::kUsualEpsilon));
  return EncoderLayer(NormOrder::kPost, {std::move(attention), std::move(attention_norm),
                                         std::move(feed_forward), std::move(final_norm)});
}

absl::StatusOr<DecoderLayer> LoadDecoderLayer(const MarianConfig& config, WeightMap& weights, int layer) {
  const WeightLoader load(weights, absl::StrCat("model.decoder.layers.", layer, "."));
  const int64_t dim = config.d_model;
  const HeadLayout layout{config.decoder_attention_heads, config.d_model / config.decoder_attention_heads};
  ATTENDANT_ASSIGN_OR_RETURN(SelfAttention self, LoadSelfAttention(load, layout, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Normalization self_norm,
                             load.Norm("self_attn_layer_norm", dim, Normalization::kUsualEpsilon));
  ATTENDANT_ASSIGN_OR_RETURN(CrossAttention cross, LoadCrossAttention(load, layout, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Normalization cross_norm,
                             load.Norm("encoder_attn_layer_norm", dim, Normalization::kUsualEpsilon));
  ATTENDANT_ASSIGN_OR_RETURN(FeedForward feed_forward,
                             LoadFeedForward(load, dim, config.decoder_ffn_dim, config.activation));
  ATTENDANT_ASSIGN_OR_RETURN(Normalization final_norm,
                             load.Norm("final_layer_norm", dim, Normalization::kUsualEpsilon));
  return DecoderLayer({std::move(self), std::move(self_norm), std::move(cross), std::move(cross_norm),
                       std::move(feed_forward), std::move(final_norm)});
}

// A checkpoint may store its positions; the reference then uses those, and computes them otherwise.
absl::StatusOr<Tensor> LoadMarianPositions(const MarianConfig& config, WeightMap& weights,
                                           const std::string& side) {
  const std::string name = absl::StrCat("model.", side, kPositions);
  const int64_t positions = config.max_position_embeddings;
  if (!weights.Contains(name)) return SinusoidalPositions(positions, config.d_model);
  ATTENDANT_ASSIGN_OR_RETURN(const TensorView stored, weights.Require(name, {positions, config.d_model}));
  return ToF32(stored);
}

absl::StatusOr<Embedding> LoadEmbedding(const MarianConfig& config, WeightMap& weights,
                                        const std::string& side) {
  const bool shared = config.share_encoder_decoder_embeddings;
  const int64_t vocab_size = side == "encoder" ? config.vocab_size : config.target_vocab_size();
  // A shared table has one name in the reference, but checkpoints of other tools may only have the sides'
  // names.
  const std::string side_name = absl::StrCat("model.", side, ".embed_tokens.weight");
  const std::string name =
      shared && weights.Contains("model.shared.weight") ? "model.shared.weight" : side_name;
  ATTENDANT_ASSIGN_OR_RETURN(const TensorView table, weights.Require(name, {vocab_size, config.d_model}));
  ATTENDANT_ASSIGN_OR_RETURN(Tensor positions, LoadMarianPositions(config, weights, side));
  const float scale = config.scale_embedding ? std::sqrt(static_cast<float>(config.d_model)) : 1.0f;
  return Embedding(table, scale, std::move(positions));
}

absl::StatusOr<VocabProjection> LoadProjection(const MarianConfig& config, WeightMap& weights) {
  const bool shared = config.share_encoder_decoder_embeddings;
  const int64_t vocab_size = config.target_vocab_size();
  std::string name = "lm_head.weight";
  if (config.tie_word_embeddings) {
    name = shared && weights.Contains("model.shared.weight") ? "model.shared.weight"
                                                             : "model.decoder.embed_tokens.weight";
  }
  ATTENDANT_ASSIGN_OR_RETURN(const TensorView matrix, weights.Require(name, {vocab_size, config.d_model}));
  Tensor bias(DType::kF32, {vocab_size});
  if (weights.Contains("final_logits_bias")) {  // Zero without one, as the reference has it.
    ATTENDANT_ASSIGN_OR_RETURN(const TensorView stored,
                               weights.Require("final_logits_bias", {1, vocab_size}));
    WidenToF32(stored.dtype, stored.data, bias.f32());
  }
  return VocabProjection(ToF32(matrix), bias);
}

}  // namespace

absl::StatusOr<MarianParts> LoadMarianParts(const MarianConfig& config, WeightMap& weights) {
  ATTENDANT_ASSIGN_OR_RETURN(Embedding source, LoadEmbedding(config, weights, "encoder"));
  std::optional<Embedding> target;
  if (!config.share_encoder_decoder_embeddings) {
    ATTENDANT_ASSIGN_OR_RETURN(target, LoadEmbedding(config, weights, "decoder"));
  }
  std::vector<EncoderLayer> encoder;
  for (int layer = 0; layer < config.encoder_layers; ++layer) {
    ATTENDANT_ASSIGN_OR_RETURN(EncoderLayer loaded, LoadEncoderLayer(config, weights, layer));
    encoder.push_back(std::move(loaded));
  }
  std::vector<DecoderLayer> decoder;
  for (int layer = 0; layer < config.decoder_layers; ++layer) {
    ATTENDANT_ASSIGN_OR_RETURN(DecoderLayer loaded, LoadDecoderLayer(config, weights, layer));
    decoder.push_back(std::move(loaded));
  }
  ATTENDANT_ASSIGN_OR_RETURN(VocabProjection projection, LoadProjection(config, weights));
  return MarianParts{std::move(source), std::move(target), std::move(encoder), std::move(decoder),
                     std::move(projection)};
}

absl::StatusOr<int64_t> CheckMarianSurplus(const MarianConfig& config, WeightMap& weights) {
  // Copies of what is tied, which older writers stored under every name, and positions, which are the same
  // for both sides.
  std::vector<std::string_view> ignorable = {"model.encoder.embed_positions.weight",
                                             "model.decoder.embed_positions.weight"};
  if (config.tie_word_embeddings) ignorable.push_back("lm_head.weight");
  if (config.share_encoder_decoder_embeddings) {
    ignorable.push_back("model.encoder.embed_tokens.weight");
    ignorable.push_back("model.decoder.embed_tokens.weight");
  }
  ATTENDANT_RETURN_IF_ERROR(weights.CheckAllUsed(ignorable));
  int64_t count = 0;
  for (const std::string& name : weights.names()) {
    const bool copy = std::find(ignorable.begin(), ignorable.end(), name) != ignorable.end();
    if (copy || name == "final_logits_bias") continue;
    ATTENDANT_ASSIGN_OR_RETURN(const TensorView tensor, weights.Get(name));
    count += tensor.shape.num_elements();
  }
  return count;
}

}  // namespace attendant
