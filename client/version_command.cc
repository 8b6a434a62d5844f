#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "client/commands.h"
#include "client/terminal.h"

namespace attendant::client {

ExitCode RunVersion(const Args& args) {
  const FlagSet flags({.name = "version",
                       .synopsis = "",
                       .summary = "Prints the version of this client.",
                       .examples = "  attendant version\n",
                       .notes = ""});
  ExitCode exit_code = ExitCode::kOk;
  const std::optional<std::vector<std::string>> rest = ParseOrExplain(flags, args, exit_code);
  if (!rest.has_value()) return exit_code;
  if (!rest->empty()) return UsageError(absl::InvalidArgumentError("takes no arguments"), "version");
  WriteToTerminal(STDOUT_FILENO,
                  absl::StrCat("attendant ", ATTENDANT_VERSION, " (gRPC ", grpc::Version(), ")\n"));
  return ExitCode::kOk;
}

}  // namespace attendant::client
