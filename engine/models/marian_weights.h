#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/layers/embedding.h"
#include "engine/layers/transformer_layers.h"
#include "engine/models/marian_config.h"
#include "engine/models/vocab_projection.h"
#include "engine/weights/weight_map.h"

namespace attendant {

// A Marian model's layers with their weights packed.
struct MarianParts {
  Embedding source_embedding;
  std::optional<Embedding> target_embedding;  // None: the source's serves both.
  std::vector<EncoderLayer> encoder;
  std::vector<DecoderLayer> decoder;
  VocabProjection projection;
};

// Takes every tensor that the configuration calls for. Errors: FAILED_PRECONDITION naming one that is missing
// or misshapen.
absl::StatusOr<MarianParts> LoadMarianParts(const MarianConfig& config, WeightMap& weights);

// After LoadMarianParts: FAILED_PRECONDITION naming tensors that no layer wanted; else the number of distinct
// parameters.
absl::StatusOr<int64_t> CheckMarianSurplus(const MarianConfig& config, WeightMap& weights);

}  // namespace attendant
