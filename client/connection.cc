#include "client/connection.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>
#include <poll.h>

#include <chrono>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/grpc_status.h"
#include "client/strings.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace attendant::client {
namespace {

constexpr std::string_view kDefaultServer = "127.0.0.1:8500";
constexpr std::string_view kDefaultPort = "8500";
// Without --wait: an address that answers nothing at all is given up after this.
constexpr absl::Duration kConnectTimeout = absl::Seconds(5);
constexpr int kMaxAnswerBytes = 256 << 20;  // n-best lists with alignments of long texts.

bool IsPort(std::string_view text) {
  int port = 0;
  return absl::SimpleAtoi(Absl(text), &port) && port > 0 && port <= 65535;
}

absl::Status BadServer(std::string_view server) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--server: '", Absl(server), "' is not an address: write host:port, such as ", Absl(kDefaultServer)));
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ConnectionOptions& options,
                                                           const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A proxy from the environment cannot reach this machine's own loopback.
  if (IsThisMachine(server)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return MakeSecureChannel(options.security, server, std::move(arguments));
}

// Of a channel that cannot connect: only a call gets told why.
absl::Status WhyUnreachable(const std::shared_ptr<grpc::Channel>& channel, const ConnectionOptions& options) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = grpc::health::v1::Health::NewStub(channel)->Check(&context, {}, &response);
  const absl::Status handshake = ExplainHandshake(options.security, status.error_message());
  return handshake.ok() ? UnreachableError() : handshake;
}

bool IsStopped(int stop_fd) {
  pollfd stop = {stop_fd, POLLIN, 0};
  return poll(&stop, 1, 0) > 0;
}

}  // namespace

std::string DefaultServer() {
  const char* server = std::getenv("ATTENDANT_SERVER");
  return server == nullptr || *server == '\0' ? std::string(kDefaultServer) : server;
}

void AddConnectionFlags(FlagSet& flags, ConnectionOptions& options) {
  options.server = DefaultServer();
  flags.BeginGroup("Server");
  flags.Add(TextFlag("server", "HOST:PORT",
                     "Address of attendant-server. Default: the environment\n"
                     "variable ATTENDANT_SERVER, or 127.0.0.1:8500.",
                     [&options](std::string value) { options.server = std::move(value); }));
  flags.Add(DurationFlag("wait",
                         "How long to wait for a server that cannot be reached or is\n"
                         "still loading. Default 0: not at all.",
                         {.min = absl::ZeroDuration()}, options.wait));
  AddSecurityFlags(flags, options.security);
}

absl::StatusOr<std::string> NormalizeServer(std::string_view server) {
  const bool has_bad_character = server.find_first_of(" \t\r\n") != std::string_view::npos;
  if (server.empty() || has_bad_character || server.substr(0, 7) == "http://" ||
      server.substr(0, 8) == "https://") {
    return BadServer(server);
  }
  const size_t colon = server.rfind(':');
  const bool has_scheme = server.substr(0, 5) == "unix:" || server.find(":///") != std::string_view::npos;
  if (has_scheme) return std::string(server);
  const bool is_bare_host = colon == std::string_view::npos || server.back() == ']';
  if (is_bare_host) return absl::StrCat(Absl(server), ":", Absl(kDefaultPort));
  if (colon == 0 || !IsPort(server.substr(colon + 1))) return BadServer(server);
  return std::string(server);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const ConnectionOptions& options) {
  const absl::StatusOr<std::string> server = NormalizeServer(options.server);
  if (!server.ok()) return server.status();
  auto made = MakeChannel(options, *server);
  if (!made.ok()) return made.status();
  std::shared_ptr<grpc::Channel> channel = *std::move(made);
  const bool gives_up_at_failure = options.wait == absl::ZeroDuration();
  const auto deadline = std::chrono::steady_clock::now() +
                        absl::ToChronoNanoseconds(gives_up_at_failure ? kConnectTimeout : options.wait);
  bool connect = true;
  grpc_connectivity_state state = channel->GetState(connect);
  while (state != GRPC_CHANNEL_READY) {
    if (gives_up_at_failure && state == GRPC_CHANNEL_TRANSIENT_FAILURE) break;
    if (std::chrono::steady_clock::now() >= deadline) break;
    if (IsStopped(options.stop_fd)) return absl::CancelledError("interrupted");
    // In short steps, to notice the stop.
    channel->WaitForStateChange(state, std::chrono::system_clock::now() + std::chrono::milliseconds(100));
    state = channel->GetState(connect);
  }
  if (state == GRPC_CHANNEL_READY) return channel;
  return WhyUnreachable(channel, options);
}

std::string DescribeError(const absl::Status& status, std::string_view server) {
  if (IsUnreachable(status)) {
    return absl::StrCat("cannot reach ", Absl(server),
                        ": start attendant-server, or name another server with --server HOST:PORT");
  }
  // A file of this side: the code would add nothing.
  if (absl::StartsWith(status.message(), "cannot write ")) return std::string(status.message());
  if (IsHandshakeError(status)) return absl::StrCat(Absl(server), ": ", status.message());
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return absl::StrCat(status.message(), " (--api-key-file FILE, or the key in ATTENDANT_API_KEY)");
    case absl::StatusCode::kDeadlineExceeded:
      return "no answer within the deadline: give more time with --deadline, or send less";
    case absl::StatusCode::kUnavailable:
      return absl::StrCat(Absl(server), " is not available now: ", status.message(),
                          " (--wait 30s waits for it)");
    case absl::StatusCode::kUnimplemented:
      return absl::StrCat(Absl(server),
                          " answers, but does not offer this: is it an attendant-server of this version?");
    case absl::StatusCode::kNotFound:
      return absl::StrCat(status.message(), " ('attendant models' lists what is served)");
    case absl::StatusCode::kUnknown:  // The code would add nothing.
      return std::string(status.message());
    default:
      return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
  }
}

ExitCode ExitCodeFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kUnavailable:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kDeadline;
    case absl::StatusCode::kCancelled:
      return ExitCode::kInterrupted;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace attendant::client
