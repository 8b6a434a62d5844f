#include "client/grpc_status.h"

#include <string>
#include <string_view>

namespace attendant::client {
namespace {

constexpr absl::string_view kUnreachable = "no connection";

// What gRPC itself says when a connection cannot be made or is lost; the server's own messages are not among
// them.
bool IsTransportMessage(std::string_view message) {
  for (const std::string_view part :
       {"failed to connect to all addresses", "Connection refused", "Connection reset", "Socket closed",
        "GOAWAY received", "DNS resolution failed", "Broken pipe", "keepalive watchdog timeout", "recvmsg",
        "FD Shutdown"}) {
    if (message.find(part) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  if (code == absl::StatusCode::kUnavailable && IsTransportMessage(status.error_message())) {
    return UnreachableError();
  }
  return absl::Status(code, status.error_message());
}

absl::Status UnreachableError() {
  return absl::UnavailableError(kUnreachable);
}

bool IsUnreachable(const absl::Status& status) {
  return absl::IsUnavailable(status) && status.message() == kUnreachable;
}

}  // namespace attendant::client
