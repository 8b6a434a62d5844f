#include "server/request_checks.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "server/grpc_status.h"

namespace attendant {
namespace {

absl::Status OutOfRange(absl::string_view field, int64_t value, int64_t min, int64_t max) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", value, " is not in its range, ", min, " to ", max));
}

}  // namespace

absl::Status CheckPriority(int32_t priority) {
  constexpr int32_t kMax = 10;
  return std::abs(int64_t{priority}) <= kMax ? absl::OkStatus()
                                             : OutOfRange("priority", priority, -kMax, kMax);
}

absl::Status CheckTopK(std::optional<int32_t> top_k) {
  constexpr int32_t kMax = 1'000'000;
  if (!top_k.has_value() || (*top_k >= 1 && *top_k <= kMax)) return absl::OkStatus();
  return OutOfRange("top_k", *top_k, 1, kMax);
}

absl::Status CheckFormat(v1::VectorFormat format) {
  if (v1::VectorFormat_IsValid(format)) return absl::OkStatus();
  return OutOfRange("format", format, v1::VectorFormat_MIN, v1::VectorFormat_MAX);
}

absl::Status CheckInputCount(const ServedModel& model, absl::string_view field, int count) {
  const int32_t max_queue = model.engine.scheduler().max_queue();
  if (count <= max_queue) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", count, " inputs are more than the ", max_queue,
                                                 " that can wait for model \"", model.name,
                                                 "\"; send fewer in a call"));
}

absl::Status CheckAdmission(const ServedModel& model, int texts, TimePoint deadline) {
  const absl::Status status = model.engine.scheduler().CheckAdmission(texts, deadline);
  return status.ok() ? status : Rejected(QueueReasonOf(status), status);
}

}  // namespace attendant
