#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "engine/tasks/text_model.h"
#include "engine/tasks/translator.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/engine_model.h"

namespace attendant::kserve {

// As the protocol counts: 1 is the most urgent, 0 and 11 are attendant.v1's 0, and 21 is its -10.
inline constexpr int kPriorityLevels = 21;
inline constexpr int kDefaultPriorityLevel = 11;

// What the parameters of a request say.
struct InferParameters {
  int priority = 0;                 // As attendant.v1 counts.
  std::optional<Duration> timeout;  // From the arrival of the call.
  TranslationOptions translation;
  Truncation truncation = Truncation::kTruncate;
  std::string prompt;
  std::optional<bool> normalize;
  int32_t dimensions = 0;
};

// INVALID_ARGUMENT names the parameter: not one of this model's, of a wrong type, or out of its range.
absl::StatusOr<InferParameters> ReadParameters(const inference::ModelInferRequest& request,
                                               const EngineModel& model);

}  // namespace attendant::kserve
