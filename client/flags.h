#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/duration.h"

namespace attendant::client {

// One row of a command's table of flags.
struct Flag {
  std::string name;        // Without the two dashes.
  std::string value_name;  // As the help shows it, "N" or "FILE". "": a switch, which takes no value.
  std::string help;
  std::function<absl::Status(std::string_view value)> set;  // A switch gets "".
};

struct IntRange {
  int64_t min = 0;
  int64_t max = std::numeric_limits<int32_t>::max();
};

// Rows for the common kinds of value. Targets must outlive the FlagSet.
Flag SwitchFlag(std::string name, std::string help, std::function<void()> set);
Flag TextFlag(std::string name, std::string value_name, std::string help,
              std::function<void(std::string)> set);
Flag IntFlag(std::string name, std::string help, IntRange range, std::function<void(int64_t)> set);
Flag NumberFlag(std::string name, std::string help, std::function<void(float)> set);  // Finite.
Flag DurationFlag(std::string name, std::string help, DurationLimits limits, absl::Duration& target);

// What `attendant COMMAND --help` says around the table.
struct CommandHelp {
  std::string name;      // "translate"
  std::string synopsis;  // After the name: "[FLAGS] [TEXT...]".
  std::string summary;   // Sentences, wrapped by hand.
  std::string examples;  // Lines, indented by two.
  std::string notes;     // At the end. "": none.
};

struct ParsedArgs {
  bool help_requested = false;
  std::vector<std::string> positional;
};

// The flags of one command: parses a command line and explains itself. Each flag is written "--name value" or
// "--name=value"; of a repeated one the last counts unless its setter collects. After "--" everything is
// positional.
class FlagSet {
 public:
  explicit FlagSet(CommandHelp help) : help_(std::move(help)) {}

  // Flags added from here on stand under this title in the help.
  void BeginGroup(std::string title) { groups_.push_back({std::move(title), {}}); }
  void Add(Flag flag) { groups_.back().flags.push_back(std::move(flag)); }

  // INVALID_ARGUMENT: unknown flag (with the one that was meant), missing, surplus or bad value.
  absl::StatusOr<ParsedArgs> Parse(const std::vector<std::string>& args) const;
  std::string Help() const;
  const std::string& command() const { return help_.name; }

 private:
  struct Group {
    std::string title;
    std::vector<Flag> flags;
  };

  const Flag* Find(std::string_view name) const;
  absl::Status UnknownFlag(std::string_view arg, std::string_view name) const;
  // Sets the flag that args[i] is; returns how many args it took.
  absl::StatusOr<size_t> ParseFlag(const std::vector<std::string>& args, size_t i) const;

  CommandHelp help_;
  std::vector<Group> groups_;
};

}  // namespace attendant::client
