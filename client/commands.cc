#include "client/commands.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "client/output_file.h"
#include "client/strings.h"
#include "client/terminal.h"

namespace attendant::client {

void PrintError(std::string_view message) {
  WriteToTerminal(STDERR_FILENO, absl::StrCat("attendant: ", Absl(message), "\n"));
}

ExitCode UsageError(const absl::Status& status, std::string_view command) {
  PrintError(absl::StrCat(Absl(command), ": ", status.message()));
  return ExitCode::kUsage;
}

std::optional<std::vector<std::string>> ParseOrExplain(const FlagSet& flags, const Args& args,
                                                       ExitCode& exit_code) {
  absl::StatusOr<ParsedArgs> parsed = flags.Parse(args);
  if (!parsed.ok()) {
    exit_code = UsageError(parsed.status(), flags.command());
    return std::nullopt;
  }
  if (parsed->help_requested) {
    WriteToTerminal(STDOUT_FILENO, flags.Help());
    exit_code = ExitCode::kOk;
    return std::nullopt;
  }
  return std::move(parsed->positional);
}

}  // namespace attendant::client
