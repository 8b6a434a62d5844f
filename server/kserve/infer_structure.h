#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inference/open_inference_grpc.pb.h"

namespace attendant::kserve {

// What a ModelInferRequest may be, checked on its bytes before it is parsed: an empty input is two bytes of
// them and more than two hundred of memory.
struct InferLimits {
  int64_t max_bytes = 64 * 1024;  // Once decompressed.
  int32_t max_elements = 0;       // Of typed contents, all inputs together.
  int32_t max_inputs = 16;        // And as many raw contents.
  int32_t max_outputs = 64;
  int32_t max_parameters = 128;         // Of the request and of all its inputs.
  int32_t max_other_fields = 256;       // All that is not one of the above, over all levels.
  int64_t max_other_bytes = 64 * 1024;  // Of all but typed BYTES elements and raw contents.
};

// INVALID_ARGUMENT, with a RejectReason, names what there is too much of.
absl::Status CheckInferStructure(const std::string& bytes, const InferLimits& limits);

struct ParsedInferRequest {
  inference::ModelInferRequest message;
  int64_t bytes = 0;
};
// Reads, checks and parses. Errors: as ParseMessage's (server/message.h).
absl::StatusOr<ParsedInferRequest> ParseInferRequest(const grpc::ByteBuffer& buffer,
                                                     const InferLimits& limits);

}  // namespace attendant::kserve
