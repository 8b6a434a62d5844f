#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "inference/open_inference_grpc.pb.h"

namespace attendant::kserve {

// The value of a parameter, of the type that is wanted and no other; whole numbers count as floating-point
// ones, too. INVALID_ARGUMENT says what is wanted, or the range.

struct IntegerRange {
  int64_t min = 0;
  int64_t max = 0;
};
absl::StatusOr<int64_t> ReadInteger(const inference::InferParameter& value, IntegerRange range);
absl::StatusOr<uint64_t> ReadUnsigned(const inference::InferParameter& value);
absl::StatusOr<float> ReadFloat(const inference::InferParameter& value);
absl::StatusOr<bool> ReadBool(const inference::InferParameter& value);
absl::StatusOr<std::string> ReadString(const inference::InferParameter& value);

}  // namespace attendant::kserve
