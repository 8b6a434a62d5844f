#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace attendant::client {

// The same code and message.
absl::Status FromGrpc(const grpc::Status& status);

// UNAVAILABLE because there is no connection, as opposed to a server that says so.
absl::Status UnreachableError();
bool IsUnreachable(const absl::Status& status);

}  // namespace attendant::client
