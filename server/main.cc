#include <grpc/support/log.h>
#include <malloc.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/auth/new_key.h"
#include "server/auth/token_bucket.h"
#include "server/configuration.h"
#include "server/logging.h"
#include "server/options.h"
#include "server/server.h"
#include "server/signals.h"

namespace attendant {
namespace {

constexpr int kCannotStart = 1;
constexpr int kWrongConfiguration = 2;

int Fail(const absl::Status& status, int exit_code) {
  std::cerr << "attendant-server: " << status.message() << "\n";
  return exit_code;
}

// Ten lines a second; more are left out. Thread-safe.
class LineBudget {
 public:
  bool Take() {
    return bucket_.Take({.per_second = 10, .burst = 100}, Clock::Real().Now()) == Duration::zero();
  }

 private:
  TokenBucket bucket_;
};

// gRPC's own complaints become lines of our log. It takes a plain function and logs until the process ends:
// hence the static, and a logger of its own that nobody destroys.
void TakeOverGrpcLog(const config::Logging& logging) {
  static const Logger* const log = new Logger(logging);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  gpr_set_log_function([](gpr_log_func_args* line) {
    // Each bad handshake is a line, and whoever reaches the port can make as many as he likes.
    static LineBudget budget;
    if (!budget.Take()) return;
    log->Warning("grpc", {{"file", line->file}, {"line", line->line}, {"message", line->message}});
  });
}

// Large blocks, weights above all, are given back to the system when they are freed. Left to itself glibc
// raises the threshold to the largest block freed so far, and a server that reloads its models fragments.
void KeepAllocatorTidy() {
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 22);
}

int Serve(const config::ServerConfig& config) {
  KeepAllocatorTidy();
  ShutdownSignals signals;
  RaiseDescriptorLimit();
  const Logger log(config.logging());
  TakeOverGrpcLog(config.logging());
  const absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(config, log);
  if (absl::IsCancelled(server.status())) return 0;
  if (absl::IsInvalidArgument(server.status())) return Fail(server.status(), kWrongConfiguration);
  if (!server.ok()) return Fail(server.status(), kCannotStart);
  const int signal = signals.Wait();
  log.Info("signal", {{"number", signal}});
  return (*server)->Drain() ? 0 : kCannotStart;
}

// Two lines, so that a script can read them; what they are goes to standard error.
int PrintNewKey(const CommandLine& line) {
  const absl::StatusOr<NewKey> key = MakeNewKey(line.key_id, line.roles);
  if (!key.ok()) return Fail(key.status(), kWrongConfiguration);
  std::cerr << "The key, shown this once, for the client's ATTENDANT_API_KEY or --api-key-file;\n"
               "then its entry for the file that the server's --api-keys names:\n";
  std::cout << key->key << "\n" << key->entry << "\n";
  return std::cout.flush().good() ? 0 : kCannotStart;
}

int Main(const std::vector<std::string>& args) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(args);
  if (!line.ok()) return Fail(line.status(), kWrongConfiguration);
  switch (line->action) {
    case CommandLine::Action::kHelp:
      std::cout << HelpText();
      return 0;
    case CommandLine::Action::kVersion:
      std::cout << VersionText();
      return 0;
    case CommandLine::Action::kNewKey:
      return PrintNewKey(*line);
    case CommandLine::Action::kServe:
      break;
  }
  const absl::Status directories = CheckModelDirectories(line->config);
  if (!directories.ok()) return Fail(directories, kWrongConfiguration);
  return Serve(line->config);
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  return attendant::Main(std::vector<std::string>(argv + 1, argv + argc));
}
