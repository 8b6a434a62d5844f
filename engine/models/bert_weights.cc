#include "engine/models/bert_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/models/weight_loading.h"

namespace attendant {
namespace {

// What a family calls its tensors.
struct Names {
  const char* prefix;  // Of a checkpoint with a head; one without may have none.
  const char* layers;
  const char* query;
  const char* key;
  const char* value;
  const char* attention_output;
  const char* attention_norm;
  const char* up;
  const char* down;
  const char* final_norm;
};

constexpr Names BertLike(const char* prefix) {
  return {prefix,
          "encoder.layer.",
          "attention.self.query",
          "attention.self.key",
          "attention.self.value",
          "attention.output.dense",
          "attention.output.LayerNorm",
          "intermediate.dense",
          "output.dense",
          "output.LayerNorm"};
}
constexpr Names kBert = BertLike("bert.");
constexpr Names kRoberta = BertLike("roberta.");
constexpr Names kDistilBert = {"distilbert.",     "transformer.layer.", "attention.q_lin", "attention.k_lin",
                               "attention.v_lin", "attention.out_lin",  "sa_layer_norm",   "ffn.lin1",
                               "ffn.lin2",        "output_layer_norm"};
constexpr Names kMpnet = {"mpnet.",           "encoder.layer.",   "attention.attn.q",    "attention.attn.k",
                          "attention.attn.v", "attention.attn.o", "attention.LayerNorm", "intermediate.dense",
                          "output.dense",     "output.LayerNorm"};

const Names& NamesOf(BertFamily family) {
  switch (family) {
    case BertFamily::kBert:
      return kBert;
    case BertFamily::kRoberta:
    case BertFamily::kXlmRoberta:
      return kRoberta;
    case BertFamily::kDistilBert:
      return kDistilBert;
    case BertFamily::kMpnet:
      return kMpnet;
  }
  std::abort();  // Every family has a case.
}

std::string BertPrefixOf(const BertConfig& config, const WeightMap& weights) {
  return weights.Contains("embeddings.word_embeddings.weight") ? "" : NamesOf(config.family).prefix;
}

absl::StatusOr<EncoderLayer> LoadBertLayer(const BertConfig& config, const WeightLoader& load) {
  const Names& names = NamesOf(config.family);
  const int64_t dim = config.hidden_dim;
  const HeadLayout layout{config.num_heads, config.hidden_dim / config.num_heads};
  ATTENDANT_ASSIGN_OR_RETURN(Linear qkv, load.Fused({names.query, names.key, names.value}, dim, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Linear output, load.Residual(names.attention_output, dim, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Normalization attention_norm,
                             load.Norm(names.attention_norm, dim, config.norm_epsilon));
  ATTENDANT_ASSIGN_OR_RETURN(Linear up, load.Activated(names.up, dim, config.ffn_dim, config.activation));
  ATTENDANT_ASSIGN_OR_RETURN(Linear down, load.Residual(names.down, config.ffn_dim, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Normalization final_norm, load.Norm(names.final_norm, dim, config.norm_epsilon));
  return EncoderLayer(NormOrder::kPost,
                      {SelfAttention(layout, std::move(qkv), std::move(output)), std::move(attention_norm),
                       FeedForward(std::move(up), std::move(down)), std::move(final_norm)});
}

// Which bucket a key at `distance` from its query falls into: exact near by, logarithmic to 128. There are 32
// of them, whatever the table's size. Source: `transformers`, MPNetEncoder.relative_position_bucket.
int32_t BucketOf(int32_t distance) {
  constexpr int32_t kHalf = 16;
  constexpr int32_t kExact = 8;
  constexpr float kMaxDistance = 128;
  const int32_t first = distance > 0 ? kHalf : 0;
  const int32_t n = std::abs(distance);
  if (n < kExact) return first + n;
  const float far = std::log(static_cast<float>(n) / kExact) / std::log(kMaxDistance / kExact);
  return first + std::min(kExact + static_cast<int32_t>(far * (kHalf - kExact)), kHalf - 1);
}

absl::StatusOr<std::vector<float>> LoadDistanceBias(const BertConfig& config, const WeightLoader& load) {
  std::vector<float> bias;
  if (config.num_distance_buckets == 0) return bias;
  const int32_t buckets = config.num_distance_buckets;
  ATTENDANT_ASSIGN_OR_RETURN(
      const Tensor table, load.Table("encoder.relative_attention_bias.weight", {buckets, config.num_heads}));
  const int32_t farthest = config.max_tokens() - 1;
  for (int32_t head = 0; head < config.num_heads; ++head) {
    for (int32_t distance = -farthest; distance <= farthest; ++distance) {
      const int32_t row = BucketOf(distance);
      bias.push_back(table.f32()[static_cast<size_t>(row * config.num_heads + head)]);
    }
  }
  return bias;
}

absl::StatusOr<std::optional<BertHead>> LoadHead(const BertConfig& config, WeightMap& weights,
                                                 const std::string& prefix) {
  if (config.head == TextHead::kNone) return std::nullopt;
  const WeightLoader load(weights, "");
  const int64_t dim = config.hidden_dim;
  const auto labels = static_cast<int64_t>(config.labels.size());
  const bool is_sequence = config.head == TextHead::kSequence;
  const bool is_distil = config.family == BertFamily::kDistilBert;
  const bool is_bert = config.family == BertFamily::kBert;
  std::optional<Linear> dense;
  if (is_sequence) {
    const std::string name = is_bert     ? prefix + "pooler.dense"
                             : is_distil ? "pre_classifier"
                                         : "classifier.dense";
    ATTENDANT_ASSIGN_OR_RETURN(
        dense, load.Activated(name, dim, dim, is_distil ? Activation::kRelu : Activation::kTanh));
  }
  const bool is_nested = is_sequence && !is_bert && !is_distil;
  ATTENDANT_ASSIGN_OR_RETURN(
      Linear projection,
      load.Activated(is_nested ? "classifier.out_proj" : "classifier", dim, labels, Activation::kNone));
  return BertHead{std::move(dense), std::move(projection)};
}

}  // namespace

absl::StatusOr<BertParts> LoadBertParts(const BertConfig& config, WeightMap& weights) {
  const std::string prefix = BertPrefixOf(config, weights);
  const WeightLoader load(weights, prefix);
  const int64_t dim = config.hidden_dim;
  ATTENDANT_ASSIGN_OR_RETURN(
      const TensorView words,
      weights.Require(prefix + "embeddings.word_embeddings.weight", {config.vocab_size, dim}));
  ATTENDANT_ASSIGN_OR_RETURN(
      Tensor positions, load.Table("embeddings.position_embeddings.weight", {config.num_positions, dim}));
  std::optional<Tensor> types;
  if (config.num_types > 0) {
    ATTENDANT_ASSIGN_OR_RETURN(
        types, load.Table("embeddings.token_type_embeddings.weight", {config.num_types, dim}));
  }
  ATTENDANT_ASSIGN_OR_RETURN(Normalization norm, load.Norm("embeddings.LayerNorm", dim, config.norm_epsilon));
  std::vector<EncoderLayer> layers;
  for (int32_t i = 0; i < config.num_layers; ++i) {
    const WeightLoader layer(weights, absl::StrCat(prefix, NamesOf(config.family).layers, i, "."));
    ATTENDANT_ASSIGN_OR_RETURN(EncoderLayer loaded, LoadBertLayer(config, layer));
    layers.push_back(std::move(loaded));
  }
  ATTENDANT_ASSIGN_OR_RETURN(std::vector<float> bias, LoadDistanceBias(config, load));
  ATTENDANT_ASSIGN_OR_RETURN(std::optional<BertHead> head, LoadHead(config, weights, prefix));
  constexpr float kUnscaled = 1;
  return BertParts{Embedding(words, kUnscaled, std::move(positions)),
                   std::move(types),
                   std::move(norm),
                   std::move(layers),
                   std::move(bias),
                   std::move(head)};
}

absl::StatusOr<int64_t> CheckBertSurplus(const BertConfig& config, WeightMap& weights) {
  const std::string prefix = BertPrefixOf(config, weights);
  const std::string pooler = prefix + "pooler.*";
  const std::string position_ids = prefix + "embeddings.position_ids";
  std::vector<std::string_view> ignorable = {pooler, position_ids};
  if (config.head == TextHead::kNone) {  // Checkpoints of language models serve as encoders, too.
    for (const char* head :
         {"cls.*", "lm_head.*", "vocab_transform.*", "vocab_layer_norm.*", "vocab_projector.*"}) {
      ignorable.push_back(head);
    }
  }
  return CountParameters(weights, ignorable);
}

}  // namespace attendant
