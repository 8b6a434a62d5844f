#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands.h"
#include "client/suggest.h"
#include "client/terminal.h"

namespace attendant::client {
namespace {

struct Command {
  const char* name;
  ExitCode (*run)(const Args& args);
};

constexpr Command kCommands[] = {{"translate", RunTranslate}, {"classify", RunClassify}, {"embed", RunEmbed},
                                 {"label", RunLabel},         {"models", RunModels},     {"admin", RunAdmin},
                                 {"health", RunHealth},       {"version", RunVersion}};

constexpr char kHelp[] =
    "attendant: translations, classes, labels and embeddings from an attendant-server.\n"
    "\n"
    "Usage: attendant COMMAND [FLAGS] [ARGUMENTS]\n"
    "\n"
    "Commands:\n"
    "  translate  Translate texts, lines or files.\n"
    "  classify   Say what is to be seen on images, or what texts are.\n"
    "  embed      Vectors for texts or images, and how alike they are.\n"
    "  label      Say what each word of a text is, and find entities.\n"
    "  models     What the server serves.\n"
    "  admin      Load, replace and unload its models.\n"
    "  health     Whether the server is ready.\n"
    "  version    The version of this client.\n"
    "\n"
    "Examples:\n"
    "  attendant translate \"Good morning.\"\n"
    "  attendant translate --input book.en --output book.de\n"
    "  attendant classify --attention-map where.png cat.jpg\n"
    "  attendant embed --similarity \"A cat sat.\" \"The kitten slept.\" \"Shares fell.\"\n"
    "  attendant label \"Angela Merkel lives in Berlin.\"\n"
    "  attendant COMMAND --help\n"
    "\n"
    "The server is --server HOST:PORT, or the environment variable ATTENDANT_SERVER, or 127.0.0.1:8500.\n"
    "\n"
    "Exit codes: 0 ok; 1 something failed; 2 wrong command line; 3 server not reachable; 4 deadline; 130 "
    "interrupted.\n";

ExitCode UnknownCommand(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  const std::string meant = Suggest(name, names);
  if (name[0] == '-') {
    PrintError(absl::StrCat("a command comes first, then flags: attendant translate ", name, " ..."));
  } else if (!meant.empty()) {
    PrintError(absl::StrCat("unknown command '", name, "': did you mean '", meant, "'?"));
  } else {
    PrintError(absl::StrCat("unknown command '", name, "': see attendant --help"));
  }
  return ExitCode::kUsage;
}

ExitCode Run(Args args) {
  if (args.empty()) {
    WriteToTerminal(STDERR_FILENO, kHelp);
    return ExitCode::kUsage;
  }
  std::string name = args[0];
  args.erase(args.begin());
  if (name == "help" && !args.empty()) {
    name = args[0];
    args = {"--help"};
  }
  if (name == "help" || name == "--help" || name == "-h") {
    WriteToTerminal(STDOUT_FILENO, kHelp);
    return ExitCode::kOk;
  }
  if (name == "--version") name = "version";
  for (const Command& command : kCommands) {
    if (name == command.name) return command.run(args);
  }
  return UnknownCommand(name);
}

}  // namespace
}  // namespace attendant::client

int main(int argc, char** argv) {
  // gRPC's own log lines say nothing that our messages do not; GRPC_VERBOSITY brings them back.
  constexpr int kKeepExisting = 0;
  setenv("GRPC_VERBOSITY", "NONE", kKeepExisting);
  return static_cast<int>(attendant::client::Run({argv + 1, argv + argc}));
}
