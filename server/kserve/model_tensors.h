#pragma once

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/engine_model.h"

namespace attendant::kserve {

enum class Output { kTranslation, kScore, kEmbedding, kLogits, kProbabilities };

struct OutputSpec {
  Output output = Output::kTranslation;
  absl::string_view name;
  absl::string_view datatype;  // "BYTES" or "FP32".
  int64_t dim = 0;             // The tensor is [batch, dim]; -1: as the request says.
};

// "text", or "image" of a model for images. BYTES [batch] or [batch, 1].
absl::string_view InputName(const EngineModel& model);
// Empty: a model that this protocol's tensors cannot serve, such as one that labels words.
std::vector<OutputSpec> OutputsOf(const EngineModel& model);
// Names of the classes of kLogits and kProbabilities.
absl::Span<const std::string> LabelsOf(const EngineModel& model);

}  // namespace attendant::kserve
