#pragma once

#include <grpcpp/grpcpp.h>

#include <optional>

#include "absl/status/status.h"
#include "engine/base/clock.h"
#include "server/reject_reason.h"
#include "server/server_config.pb.h"

namespace attendant {

// The one place where a Status becomes gRPC's: same code, message cut to what fits into a header block.
grpc::Status ToGrpcStatus(const absl::Status& status);

// `status` that remembers why the request was refused, for the metrics.
absl::Status Rejected(RejectReason reason, absl::Status status);
// The reason given to Rejected, nullopt if there was none.
std::optional<RejectReason> ReasonOf(const absl::Status& status);

// The reason of what a model's scheduler refused with RESOURCE_EXHAUSTED.
RejectReason QueueReasonOf(const absl::Status& refusal);

// The call's deadline as steady time, kInfiniteFuture if it has none.
TimePoint DeadlineOf(const grpc::ServerContextBase& context, const Clock& clock);
// The same with the limits' default for a call without, and their maximum.
TimePoint DeadlineOf(const grpc::ServerContextBase& context, const Clock& clock,
                     const config::Limits& limits);
TimePoint WithDeadlineLimits(TimePoint deadline, TimePoint now, const config::Limits& limits);

}  // namespace attendant
