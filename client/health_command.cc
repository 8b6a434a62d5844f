#include <grpcpp/client_context.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/commands.h"
#include "client/connection.h"
#include "client/grpc_status.h"
#include "client/output_file.h"
#include "client/stop_signal.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace attendant::client {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr absl::Duration kCallDeadline = absl::Seconds(5);
constexpr int kPollMilliseconds = 200;

struct HealthOptions {
  ConnectionOptions connection;
  std::string service;
  bool watch = false;
};

FlagSet MakeHealthFlags(HealthOptions& options) {
  FlagSet flags({.name = "health",
                 .synopsis = "[FLAGS] [SERVICE]",
                 .summary = "Asks whether the server, or one of its services, is ready for requests.",
                 .examples = "  attendant health\n"
                             "  attendant health --wait 60s && attendant translate \"Good morning.\"\n"
                             "  attendant health attendant.v1.TranslationService --watch\n",
                 .notes =
                     "Exit codes: 0 SERVING; 1 anything else; 2 wrong command line; 3 server not reachable;\n"
                     "4 no answer within 5 s; 130 interrupted.\n"});
  flags.BeginGroup("Health");
  flags.Add(SwitchFlag("watch", "Print the state now and whenever it changes, until stopped.",
                       [&options] { options.watch = true; }));
  AddConnectionFlags(flags, options.connection);
  return flags;
}

std::string Name(HealthCheckResponse::ServingStatus status) {
  return HealthCheckResponse::ServingStatus_IsValid(status)
             ? HealthCheckResponse::ServingStatus_Name(status)
             : absl::StrCat("status ", static_cast<int>(status));
}

// A service that the server does not know has a state as well.
absl::StatusOr<HealthCheckResponse::ServingStatus> Check(Health::Stub& stub, const HealthOptions& options) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(kCallDeadline));
  HealthCheckRequest request;
  request.set_service(options.service);
  HealthCheckResponse response;
  const absl::Status status = FromGrpc(stub.Check(&context, request, &response));
  if (absl::IsNotFound(status)) return HealthCheckResponse::SERVICE_UNKNOWN;
  if (!status.ok()) return status;
  return response.status();
}

// CANCELLED when the stop comes first.
absl::Status Pause(int stop_fd) {
  pollfd stop = {stop_fd, POLLIN, 0};
  return poll(&stop, 1, kPollMilliseconds) > 0 ? absl::CancelledError("interrupted") : absl::OkStatus();
}

ExitCode CheckUntilServing(Health::Stub& stub, const HealthOptions& options, OutputFile& output,
                           std::chrono::steady_clock::time_point deadline) {
  while (true) {
    const auto health = Check(stub, options);
    const bool is_last = std::chrono::steady_clock::now() >= deadline;
    const bool is_serving = health.ok() && *health == HealthCheckResponse::SERVING;
    if (!health.ok() && (is_last || !absl::IsUnavailable(health.status()))) {
      PrintError(DescribeError(health.status(), options.connection.server));
      return ExitCodeFor(health.status());
    }
    if (is_serving || (is_last && health.ok())) {
      (void)output.Write(Name(*health) + "\n");
      return is_serving ? ExitCode::kOk : ExitCode::kFailed;
    }
    if (!Pause(options.connection.stop_fd).ok()) return ExitCode::kInterrupted;
  }
}

ExitCode Watch(Health::Stub& stub, const HealthOptions& options, OutputFile& output, StopSignal& stop) {
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service(options.service);
  stop.OnStop([&context] { context.TryCancel(); });
  const auto reader = stub.Watch(&context, request);
  HealthCheckResponse response;
  auto last = HealthCheckResponse::UNKNOWN;
  while (reader->Read(&response)) {
    last = response.status();
    if (!output.Write(Name(last) + "\n").ok()) context.TryCancel();
  }
  const absl::Status status = FromGrpc(reader->Finish());
  stop.OnStop({});
  if (stop.stopped()) return ExitCode::kInterrupted;
  if (!status.ok() && !absl::IsCancelled(status)) {
    PrintError(DescribeError(status, options.connection.server));
    return ExitCodeFor(status);
  }
  return last == HealthCheckResponse::SERVING ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

ExitCode RunHealth(const Args& args) {
  HealthOptions options;
  ExitCode exit_code = ExitCode::kOk;
  const std::optional<std::vector<std::string>> rest =
      ParseOrExplain(MakeHealthFlags(options), args, exit_code);
  if (!rest.has_value()) return exit_code;
  if (rest->size() > 1) return UsageError(absl::InvalidArgumentError("one service at a time"), "health");
  if (!rest->empty()) options.service = rest->front();

  StopSignal stop;
  options.connection.stop_fd = stop.fd();
  // For the connection and the state together.
  const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(options.connection.wait);
  const auto channel = Connect(options.connection);
  if (absl::IsInvalidArgument(channel.status())) return UsageError(channel.status(), "health");
  if (!channel.ok()) {
    if (!absl::IsCancelled(channel.status())) {
      PrintError(DescribeError(channel.status(), options.connection.server));
    }
    return ExitCodeFor(channel.status());
  }
  const auto stub = Health::NewStub(*channel);
  OutputFile output = OutputFile::OfDescriptor(STDOUT_FILENO);
  return options.watch ? Watch(*stub, options, output, stop)
                       : CheckUntilServing(*stub, options, output, deadline);
}

}  // namespace attendant::client
