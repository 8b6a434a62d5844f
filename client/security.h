#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/flags.h"

namespace attendant::client {

// How the connection is protected, and who calls.
struct SecurityOptions {
  bool tls = false;          // Also when any of the following four is given.
  std::string ca_file;       // "": the system's authorities.
  std::string cert_file;     // Of this client, with ...
  std::string key_file;      // ... its private key.
  std::string server_name;   // In the server's certificate. "": the one in --server.
  std::string api_key_file;  // "": the environment variable ATTENDANT_API_KEY, if there is one.
  bool send_key_in_clear = false;

  bool UsesTls() const {
    return tls || !ca_file.empty() || !cert_file.empty() || !key_file.empty() || !server_name.empty();
  }
};

// --tls and its like, --api-key-file.
void AddSecurityFlags(FlagSet& flags, SecurityOptions& options);

// A channel that sends the key, if there is one, with every call. server: host:port and the like. Errors:
// UNKNOWN, as there is no more to it than the message: a file cannot be read or has no key in it; a key would
// go over a network in the clear.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeSecureChannel(const SecurityOptions& options,
                                                                 const std::string& server,
                                                                 grpc::ChannelArguments arguments);

// Nothing that is sent there leaves this machine.
bool IsThisMachine(std::string_view server);

// Why a connection did not come about, from what gRPC says of it; OK if it has nothing to do with TLS.
absl::Status ExplainHandshake(const SecurityOptions& options, std::string_view grpc_message);
// Whether a status is from ExplainHandshake.
bool IsHandshakeError(const absl::Status& status);

}  // namespace attendant::client
