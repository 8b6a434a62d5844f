#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/kserve/tensor_codec.h"

namespace attendant::kserve {

// The one input that a model takes.
struct InputRules {
  absl::string_view name;  // "text", "image"
  int64_t max_elements = 0;
  int64_t max_element_bytes = 0;
};

struct InferInput {
  std::vector<std::string> elements;   // Texts, or image files.
  TensorForm form = TensorForm::kRaw;  // How they came.
};

// Takes the elements out of the request. INVALID_ARGUMENT names the field: no input, several, of another
// name, datatype or shape; contents both raw and typed, or not of the shape; an element over the limit.
absl::StatusOr<InferInput> TakeInput(const InputRules& rules, inference::ModelInferRequest& request);

}  // namespace attendant::kserve
