#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/server_config.pb.h"

namespace attendant {

// What the command line asks for.
struct CommandLine {
  enum class Action { kServe, kHelp, kVersion, kNewKey };
  Action action = Action::kServe;
  config::ServerConfig config;  // Of file and flags, complete; only for kServe.
  std::string key_id;           // Only for kNewKey ...
  std::string roles = "infer";  // ... as is this.
};

// args: without the program's name. Reads the configuration file if one is named; flags override it. Errors:
// INVALID_ARGUMENT, one line.
absl::StatusOr<CommandLine> ParseCommandLine(absl::Span<const std::string> args);

// The text of --help, and of --version.
std::string HelpText();
std::string VersionText();

}  // namespace attendant
