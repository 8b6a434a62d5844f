#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/exit_code.h"
#include "client/flags.h"

namespace attendant::client {

using Args = std::vector<std::string>;

// Each runs one command with the arguments after its name, on the process's standard streams.
ExitCode RunTranslate(const Args& args);
ExitCode RunClassify(const Args& args);
ExitCode RunEmbed(const Args& args);
ExitCode RunLabel(const Args& args);
ExitCode RunModels(const Args& args);
ExitCode RunAdmin(const Args& args);
ExitCode RunHealth(const Args& args);
ExitCode RunVersion(const Args& args);

// "attendant: MESSAGE" on standard error.
void PrintError(std::string_view message);
// The same for a wrong command line.
ExitCode UsageError(const absl::Status& status, std::string_view command);

// Parses args; nullopt when that is already all to do (--help, or an error), with the exit code in
// `exit_code`.
std::optional<std::vector<std::string>> ParseOrExplain(const FlagSet& flags, const Args& args,
                                                       ExitCode& exit_code);

}  // namespace attendant::client
