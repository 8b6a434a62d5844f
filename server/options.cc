#include "server/options.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "engine/base/status_macros.h"
#include "server/configuration.h"
#include "server/model_name.h"
#include "server/settings.h"

namespace attendant {
namespace {

using config::ServerConfig;

struct Flag {
  std::string name;
  std::optional<std::string> value;
};

bool TakesValue(absl::string_view name) {
  const Setting* setting = FindSetting(name);
  return setting == nullptr || !IsSwitch(*setting);
}

// "--name=value", "--name value" and "--name" of switches.
absl::StatusOr<std::vector<Flag>> SplitFlags(absl::Span<const std::string> args) {
  std::vector<Flag> flags;
  for (size_t i = 0; i < args.size(); ++i) {
    absl::string_view arg = args[i];
    if (!absl::ConsumePrefix(&arg, "--") || arg.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", args[i], "\" is not a flag; see --help"));
    }
    const size_t equals = arg.find('=');
    Flag flag{std::string(arg.substr(0, equals)), std::nullopt};
    if (equals != absl::string_view::npos) {
      flag.value = std::string(arg.substr(equals + 1));
    } else if (flag.name != "help" && flag.name != "version" && TakesValue(flag.name) &&
               i + 1 < args.size()) {
      flag.value = args[++i];
    }
    flags.push_back(std::move(flag));
  }
  return flags;
}

absl::Status AddModel(absl::string_view value, ServerConfig& config) {
  const size_t equals = value.find('=');
  if (equals == absl::string_view::npos || equals + 1 == value.size()) {
    return absl::InvalidArgumentError(
        "--model: is not NAME=DIR, such as --model en-de=models/translate-en-de");
  }
  const std::string name(value.substr(0, equals));
  if (const absl::Status status = CheckModelName(name); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--model: ", status.message()));
  }
  // The same name again is the flag that overrides the file.
  auto& models = *config.mutable_model();
  auto model = std::find_if(models.begin(), models.end(), [&](const auto& m) { return m.name() == name; });
  config::ModelConfig& target = model == models.end() ? *models.Add() : *model;
  target.set_name(name);
  target.set_path(std::string(value.substr(equals + 1)));
  return absl::OkStatus();
}

absl::Status Apply(const Flag& flag, ServerConfig& config) {
  const Setting* setting = FindSetting(flag.name);
  const bool is_known =
      setting != nullptr || flag.name == "model" || flag.name == "models" || flag.name == "config";
  if (!is_known) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag.name, ": there is no such flag; see --help"));
  }
  if (setting != nullptr && IsSwitch(*setting)) {
    return SetFromText(*setting, flag.value.value_or("true"), config);
  }
  if (!flag.value.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag.name, ": needs a value; see --help"));
  }
  if (setting != nullptr) return SetFromText(*setting, *flag.value, config);
  if (flag.name == "model") return AddModel(*flag.value, config);
  if (flag.name == "models") config.set_models_dir(*flag.value);
  return absl::OkStatus();
}

bool Has(const std::vector<Flag>& flags, absl::string_view name) {
  return std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.name == name; });
}

// --new-key ID [--roles ROLES], and nothing else.
absl::StatusOr<CommandLine> NewKeyLine(const std::vector<Flag>& flags) {
  CommandLine result;
  result.action = CommandLine::Action::kNewKey;
  for (const Flag& flag : flags) {
    if (flag.name != "new-key" && flag.name != "roles") {
      return absl::InvalidArgumentError(absl::StrCat("--", flag.name, ": does not go with --new-key"));
    }
    if (!flag.value.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag.name, ": needs a value; see --help"));
    }
    (flag.name == "roles" ? result.roles : result.key_id) = *flag.value;
  }
  return result;
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(absl::Span<const std::string> args) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::vector<Flag> flags, SplitFlags(args));
  CommandLine result;
  if (Has(flags, "help")) {
    result.action = CommandLine::Action::kHelp;
    return result;
  }
  if (Has(flags, "version")) {
    result.action = CommandLine::Action::kVersion;
    return result;
  }
  if (Has(flags, "new-key")) return NewKeyLine(flags);
  for (const Flag& flag : flags) {
    if (flag.name != "config" || !flag.value.has_value()) continue;
    ATTENDANT_ASSIGN_OR_RETURN(result.config, ReadConfigFile(*flag.value));
  }
  for (const Flag& flag : flags) ATTENDANT_RETURN_IF_ERROR(Apply(flag, result.config));
  ATTENDANT_ASSIGN_OR_RETURN(result.config, CompleteConfig(std::move(result.config)));
  return result;
}

}  // namespace attendant
