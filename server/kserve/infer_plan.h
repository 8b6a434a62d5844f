#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/kserve/infer_input.h"
#include "server/kserve/infer_parameters.h"
#include "server/kserve/infer_structure.h"
#include "server/kserve/requested_outputs.h"
#include "server/model_registry.h"
#include "server/server_config.pb.h"

namespace attendant::kserve {

// Of every ModelInfer message, whichever model it is for.
InferLimits LimitsOf(const config::Limits& limits);

// A ModelInferRequest that has passed every check that needs no computing.
struct InferPlan {
  std::string id;
  InferInput input;
  std::vector<RequestedOutput> outputs;
  InferParameters parameters;

  bool Wants(Output output) const;
  bool WantsTranslation() const { return Wants(Output::kTranslation) || Wants(Output::kScore); }
  bool WantsEmbedding() const { return Wants(Output::kEmbedding); }
  bool WantsClasses() const { return Wants(Output::kLogits) || Wants(Output::kProbabilities); }
  // What the model is asked for each element.
  int NumTasks() const;
};

// Errors, with a RejectReason: INVALID_ARGUMENT names the field; RESOURCE_EXHAUSTED the message is larger
// than one for this kind of model may be; FAILED_PRECONDITION the model is not for this protocol.
absl::StatusOr<InferPlan> PlanInfer(const config::Limits& limits, const ServedModel& model,
                                    ParsedInferRequest request);

}  // namespace attendant::kserve
