#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/kserve/model_tensors.h"

namespace attendant::kserve {

struct RequestedOutput {
  OutputSpec spec;
  int32_t num_classes = 0;  // The "classification" parameter; 0: it was not given.
};

// The outputs that a request asks for, in its order; all of the model if it names none. INVALID_ARGUMENT
// names the output: unknown, asked for twice, or with a parameter that is not for it; FAILED_PRECONDITION the
// model has none.
absl::StatusOr<std::vector<RequestedOutput>> ReadOutputs(const inference::ModelInferRequest& request,
                                                         const EngineModel& model);

}  // namespace attendant::kserve
