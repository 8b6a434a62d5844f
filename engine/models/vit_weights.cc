#include "engine/models/vit_weights.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/models/weight_loading.h"

namespace attendant {
namespace {

std::string VitPrefixOf(const VitConfig& config, const WeightMap& weights) {
  return weights.Contains("embeddings.cls_token") ? "" : config.model_type + ".";
}

absl::StatusOr<EncoderLayer> LoadVitLayer(const VitConfig& config, const WeightLoader& load) {
  const int64_t dim = config.hidden_dim;
  const HeadLayout layout{config.num_heads, config.hidden_dim / config.num_heads};
  ATTENDANT_ASSIGN_OR_RETURN(Normalization before, load.Norm("layernorm_before", dim, config.norm_epsilon));
  ATTENDANT_ASSIGN_OR_RETURN(Linear qkv, load.Fused({"attention.attention.query", "attention.attention.key",
                                                     "attention.attention.value"},
                                                    dim, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Linear output, load.Residual("attention.output.dense", dim, dim));
  ATTENDANT_ASSIGN_OR_RETURN(Normalization after, load.Norm("layernorm_after", dim, config.norm_epsilon));
  ATTENDANT_ASSIGN_OR_RETURN(Linear up,
                             load.Activated("intermediate.dense", dim, config.ffn_dim, config.activation));
  ATTENDANT_ASSIGN_OR_RETURN(Linear down, load.Residual("output.dense", config.ffn_dim, dim));
  return EncoderLayer(NormOrder::kPre,
                      {SelfAttention(layout, std::move(qkv), std::move(output)), std::move(before),
                       FeedForward(std::move(up), std::move(down)), std::move(after)});
}

absl::StatusOr<Linear> LoadPatches(const VitConfig& config, const WeightLoader& load) {
  const int64_t dim = config.hidden_dim;
  const int64_t side = config.patch_size;
  ATTENDANT_ASSIGN_OR_RETURN(
      const Tensor kernel, load.Table("embeddings.patch_embeddings.projection.weight", {dim, 3, side, side}));
  ATTENDANT_ASSIGN_OR_RETURN(const Tensor bias,
                             load.Table("embeddings.patch_embeddings.projection.bias", {dim}));
  return Linear({kernel.f32().data(), bias.f32().data(), 3 * side * side, dim}, Activation::kNone,
                LinearOutput::kStore);
}

Tensor Rows(const Tensor& table, int64_t first, int64_t count) {
  const int64_t dim = table.shape()[1];
  Tensor rows(DType::kF32, {count, dim});
  std::copy_n(table.f32().data() + first * dim, count * dim, rows.f32().data());
  return rows;
}

struct Positions {
  Tensor own_tokens;
  Tensor patches;
};
absl::StatusOr<Positions> LoadVitPositions(const VitConfig& config, Grid grid, const WeightLoader& load) {
  const int64_t dim = config.hidden_dim;
  const int64_t own = config.num_own_tokens();
  const Grid trained{config.grid(), config.grid()};
  const int64_t patches = int64_t{trained.height} * trained.width;
  ATTENDANT_ASSIGN_OR_RETURN(const Tensor table,
                             load.Table("embeddings.position_embeddings", {1, own + patches, dim}));
  Tensor flat(DType::kF32, {own + patches, dim});
  std::copy_n(table.f32().data(), flat.f32().size(), flat.f32().data());
  Positions positions{Rows(flat, 0, own), Rows(flat, own, patches)};
  if (!(grid == trained)) positions.patches = ResampleGrid(positions.patches, trained, grid);
  const char* const names[] = {"embeddings.cls_token", "embeddings.distillation_token"};
  for (int64_t t = 0; t < own; ++t) {
    ATTENDANT_ASSIGN_OR_RETURN(const Tensor token, load.Table(names[t], {1, 1, dim}));
    for (int64_t d = 0; d < dim; ++d) positions.own_tokens.f32()[t * dim + d] += token.f32()[d];
  }
  return positions;
}

absl::StatusOr<std::vector<Linear>> LoadClassifiers(const VitConfig& config, WeightMap& weights) {
  std::vector<std::string_view> names;
  if (config.head == VitHead::kClassToken) names = {"classifier"};
  if (config.head == VitHead::kBothTokens) names = {"cls_classifier", "distillation_classifier"};
  std::vector<Linear> classifiers;
  const WeightLoader load(weights, "");
  for (const std::string_view name : names) {
    ATTENDANT_ASSIGN_OR_RETURN(
        Linear classifier, load.Activated(name, config.hidden_dim, static_cast<int64_t>(config.labels.size()),
                                          Activation::kNone));
    classifiers.push_back(std::move(classifier));
  }
  return classifiers;
}

}  // namespace

absl::StatusOr<VitParts> LoadVitParts(const VitConfig& config, Grid grid, WeightMap& weights) {
  const std::string prefix = VitPrefixOf(config, weights);
  const WeightLoader load(weights, prefix);
  const int64_t dim = config.hidden_dim;
  ATTENDANT_ASSIGN_OR_RETURN(Linear patches, LoadPatches(config, load));
  ATTENDANT_ASSIGN_OR_RETURN(Positions positions, LoadVitPositions(config, grid, load));
  std::vector<EncoderLayer> layers;
  for (int32_t i = 0; i < config.num_layers; ++i) {
    const WeightLoader layer(weights, absl::StrCat(prefix, "encoder.layer.", i, "."));
    ATTENDANT_ASSIGN_OR_RETURN(EncoderLayer loaded, LoadVitLayer(config, layer));
    layers.push_back(std::move(loaded));
  }
  ATTENDANT_ASSIGN_OR_RETURN(Normalization norm, load.Norm("layernorm", dim, config.norm_epsilon));
  std::optional<Linear> pooler;
  if (config.head == VitHead::kNone && weights.Contains(prefix + "pooler.dense.weight")) {
    ATTENDANT_ASSIGN_OR_RETURN(pooler, load.Activated("pooler.dense", dim, dim, Activation::kTanh));
  }
  ATTENDANT_ASSIGN_OR_RETURN(std::vector<Linear> classifiers, LoadClassifiers(config, weights));
  return VitParts{std::move(patches),
                  std::move(positions.own_tokens),
                  std::move(positions.patches),
                  std::move(layers),
                  std::move(norm),
                  std::move(pooler),
                  std::move(classifiers)};
}

absl::StatusOr<int64_t> CheckVitSurplus(const VitConfig& config, WeightMap& weights) {
  const std::string prefix = VitPrefixOf(config, weights);
  const std::string pooler = prefix + "pooler.*";
  const std::string mask_token = prefix + "embeddings.mask_token";
  return CountParameters(weights, {pooler, mask_token});
}

}  // namespace attendant
