#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "engine/models/marian_config.h"
#include "engine/models/seq2seq.h"
#include "engine/weights/weight_map.h"

namespace attendant {

// Builds a Marian translation model (MarianMTModel of `transformers`: post-norm, sinusoidal positions) from
// its weights, which it packs and does not keep. Errors name the tensor: FAILED_PRECONDITION missing, surplus
// or misshapen; DATA_LOSS not finite. Throws dnnl::error and std::bad_alloc. Source: Junczys-Dowmunt et al.
// 2018; transformers, models/marian/modeling_marian.py.
absl::StatusOr<std::unique_ptr<Seq2Seq>> BuildMarian(const MarianConfig& config, WeightMap weights);

}  // namespace attendant
