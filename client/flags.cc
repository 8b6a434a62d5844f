#include "client/flags.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "client/strings.h"
#include "client/suggest.h"

namespace attendant::client {
namespace {

constexpr size_t kHelpColumn = 28;

std::string HelpRow(const Flag& flag) {
  std::string left = absl::StrCat("  --", flag.name, flag.value_name.empty() ? "" : " ", flag.value_name);
  std::string row;
  bool first = true;
  for (absl::string_view line : absl::StrSplit(flag.help, '\n')) {
    if (first && left.size() >= kHelpColumn) absl::StrAppend(&row, std::exchange(left, ""), "\n");
    absl::StrAppendFormat(&row, "%-*s%s\n", static_cast<int>(kHelpColumn), first ? left : "", line);
    first = false;
  }
  return row;
}

}  // namespace

Flag SwitchFlag(std::string name, std::string help, std::function<void()> set) {
  return {std::move(name), "", std::move(help), [set = std::move(set)](std::string_view) {
            set();
            return absl::OkStatus();
          }};
}

Flag TextFlag(std::string name, std::string value_name, std::string help,
              std::function<void(std::string)> set) {
  return {std::move(name), std::move(value_name), std::move(help),
          [set = std::move(set)](std::string_view value) {
            set(std::string(value));
            return absl::OkStatus();
          }};
}

Flag IntFlag(std::string name, std::string help, IntRange range, std::function<void(int64_t)> set) {
  return {std::move(name), "N", std::move(help), [range, set = std::move(set)](std::string_view value) {
            int64_t number = 0;
            if (!absl::SimpleAtoi(Absl(value), &number) || number < range.min || number > range.max) {
              return absl::InvalidArgumentError(absl::StrCat(
                  "'", Absl(value), "' is not a whole number from ", range.min, " to ", range.max));
            }
            set(number);
            return absl::OkStatus();
          }};
}

Flag NumberFlag(std::string name, std::string help, std::function<void(float)> set) {
  return {std::move(name), "X", std::move(help), [set = std::move(set)](std::string_view value) {
            float number = 0;
            if (!absl::SimpleAtof(Absl(value), &number) || !std::isfinite(number)) {
              return absl::InvalidArgumentError(absl::StrCat("'", Absl(value), "' is not a number"));
            }
            set(number);
            return absl::OkStatus();
          }};
}

Flag DurationFlag(std::string name, std::string help, DurationLimits limits, absl::Duration& target) {
  return {std::move(name), "TIME", std::move(help), [limits, &target](std::string_view value) {
            const absl::StatusOr<absl::Duration> duration = ParseDuration(value, limits);
            if (duration.ok()) target = *duration;
            return duration.status();
          }};
}

const Flag* FlagSet::Find(std::string_view name) const {
  for (const Group& group : groups_) {
    const auto found = std::find_if(group.flags.begin(), group.flags.end(),
                                    [name](const Flag& flag) { return flag.name == name; });
    if (found != group.flags.end()) return &*found;
  }
  return nullptr;
}

absl::Status FlagSet::UnknownFlag(std::string_view arg, std::string_view name) const {
  std::vector<std::string> names = {"help"};
  for (const Group& group : groups_) {
    for (const Flag& flag : group.flags) names.push_back(flag.name);
  }
  const std::string meant = Suggest(name, names);
  if (!meant.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown flag ", Absl(arg), ": did you mean --", meant, "?"));
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown flag ", Absl(arg), ": see 'attendant ", help_.name,
                                                 " --help' (put -- before a text that begins with -)"));
}

absl::StatusOr<size_t> FlagSet::ParseFlag(const std::vector<std::string>& args, size_t i) const {
  const std::string_view arg = args[i];
  std::string_view name = arg.substr(std::min(arg.size(), arg.find_first_not_of('-')));
  const size_t equals = name.find('=');
  const bool has_value = equals != std::string_view::npos;
  std::string_view value = has_value ? name.substr(equals + 1) : "";
  name = name.substr(0, equals);
  const Flag* flag = arg.substr(0, 2) == "--" ? Find(name) : nullptr;
  if (flag == nullptr) return UnknownFlag(arg, name);

  const bool is_switch = flag->value_name.empty();
  if (is_switch && has_value) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag->name, " takes no value"));
  }
  size_t taken = 1;
  if (!is_switch && !has_value) {
    if (i + 1 == args.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag->name, " needs a value: --", flag->name, " ", flag->value_name));
    }
    value = args[i + 1];
    taken = 2;
  }
  if (const absl::Status status = flag->set(value); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag->name, ": ", status.message()));
  }
  return taken;
}

absl::StatusOr<ParsedArgs> FlagSet::Parse(const std::vector<std::string>& args) const {
  ParsedArgs parsed;
  for (size_t i = 0; i < args.size();) {
    if (args[i] == "--") {
      parsed.positional.insert(parsed.positional.end(), args.begin() + static_cast<ptrdiff_t>(i) + 1,
                               args.end());
      break;
    }
    if (args[i] == "--help" || args[i] == "-h") {
      parsed.help_requested = true;
      return parsed;
    }
    if (args[i].size() < 2 || args[i][0] != '-') {
      parsed.positional.push_back(args[i++]);
      continue;
    }
    const absl::StatusOr<size_t> taken = ParseFlag(args, i);
    if (!taken.ok()) return taken.status();
    i += *taken;
  }
  return parsed;
}

std::string FlagSet::Help() const {
  std::string text = absl::StrCat("Usage: attendant ", help_.name, " ", help_.synopsis, "\n\n", help_.summary,
                                  "\n\nExamples:\n", help_.examples);
  for (const Group& group : groups_) {
    absl::StrAppend(&text, "\n", group.title, ":\n");
    for (const Flag& flag : group.flags) text += HelpRow(flag);
  }
  if (!help_.notes.empty()) absl::StrAppend(&text, "\n", help_.notes);
  return text;
}

}  // namespace attendant::client
