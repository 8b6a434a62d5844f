#include "server/grpc_status.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/scheduler/scheduler.h"

namespace attendant {
namespace {

constexpr absl::string_view kReasonPayload = "attendant/reject-reason";
// A client takes 8 KiB of metadata in all, and the message is percent-encoded on the way.
constexpr size_t kMaxMessageBytes = 2000;

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message().substr(0, kMaxMessageBytes)));
}

absl::Status Rejected(RejectReason reason, absl::Status status) {
  if (!status.ok()) status.SetPayload(kReasonPayload, absl::Cord(absl::StrCat(static_cast<int>(reason))));
  return status;
}

std::optional<RejectReason> ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonPayload);
  int reason = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &reason)) return std::nullopt;
  return static_cast<RejectReason>(reason);
}

RejectReason QueueReasonOf(const absl::Status& refusal) {
  return refusal.GetPayload(kLatePayload).has_value() ? RejectReason::kLate : RejectReason::kQueueFull;
}

TimePoint WithDeadlineLimits(TimePoint deadline, TimePoint now, const config::Limits& limits) {
  using std::chrono::milliseconds;
  if (deadline == kInfiniteFuture && limits.default_deadline_ms() > 0) {
    deadline = now + milliseconds(limits.default_deadline_ms());
  }
  if (limits.max_deadline_ms() == 0) return deadline;
  return std::min(deadline, now + milliseconds(limits.max_deadline_ms()));
}

TimePoint DeadlineOf(const grpc::ServerContextBase& context, const Clock& clock,
                     const config::Limits& limits) {
  return WithDeadlineLimits(DeadlineOf(context, clock), clock.Now(), limits);
}

TimePoint DeadlineOf(const grpc::ServerContextBase& context, const Clock& clock) {
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return kInfiniteFuture;
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  constexpr int64_t kForEverSeconds = int64_t{100} * 365 * 24 * 3600;
  if (left.tv_sec > kForEverSeconds) return kInfiniteFuture;
  return clock.Now() + std::chrono::seconds(left.tv_sec) + std::chrono::nanoseconds(left.tv_nsec);
}

}  // namespace attendant
