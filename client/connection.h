#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/exit_code.h"
#include "client/flags.h"
#include "client/security.h"

namespace attendant::client {

// Where the server is, and how long to wait for it.
struct ConnectionOptions {
  std::string server;  // As DefaultServer() or --server gives it.
  absl::Duration wait = absl::ZeroDuration();
  SecurityOptions security = {};
  int stop_fd = -1;  // Waiting ends when it becomes readable. -1: none.
};

// $ATTENDANT_SERVER, or 127.0.0.1:8500.
std::string DefaultServer();

// --server and --wait, TLS and the API key.
void AddConnectionFlags(FlagSet& flags, ConnectionOptions& options);

// "host" gets the default port; "host:port", "[::1]:8500", "unix:/path" and "dns:///..." stay.
// INVALID_ARGUMENT: not an address.
absl::StatusOr<std::string> NormalizeServer(std::string_view server);

// A connected channel. UNAVAILABLE: not reachable within options.wait; CANCELLED: stopped; UNKNOWN: as
// MakeSecureChannel.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const ConnectionOptions& options);

// One line for a person: what went wrong with a call to `server`, and what to do.
std::string DescribeError(const absl::Status& status, std::string_view server);

// Of a command that ended with this status.
ExitCode ExitCodeFor(const absl::Status& status);

}  // namespace attendant::client
