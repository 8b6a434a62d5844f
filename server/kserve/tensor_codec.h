#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "inference/open_inference_grpc.pb.h"

namespace attendant::kserve {

// Product of the dimensions. INVALID_ARGUMENT: there are none, one is negative, or it is beyond an int64.
absl::StatusOr<int64_t> NumElements(absl::Span<const int64_t> shape);

// The elements of a raw BYTES tensor: each a length (uint32, little-endian) and so many bytes. Reads no
// further than `count` elements. INVALID_ARGUMENT: there are fewer, more, or one goes beyond the end.
absl::StatusOr<std::vector<std::string>> DecodeBytes(absl::string_view raw, int64_t count);

std::string EncodeBytes(absl::Span<const std::string> elements);
// IEEE single precision, little-endian.
std::string EncodeFloats(absl::Span<const float> elements);

// Where a message carries the elements of its tensors.
enum class TensorForm {
  kRaw,    // raw_input_contents, raw_output_contents
  kTyped,  // contents
};

// One tensor of an answer, BYTES or FP32.
struct OutputTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::variant<std::vector<std::string>, std::vector<float>> elements;
};
void AddOutput(OutputTensor tensor, TensorForm form, inference::ModelInferResponse& response);

}  // namespace attendant::kserve
