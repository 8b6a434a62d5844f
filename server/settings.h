#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/server_config.pb.h"

namespace attendant {

// A scalar field of ServerConfig that has a flag. The table of all of them is the one place that says its
// range, its group in --help and its text there.
struct Setting {
  absl::string_view flag;   // Without the dashes.
  absl::string_view field;  // Path from ServerConfig, "limits.max_contents".
  absl::string_view group;  // Heading in --help.
  absl::string_view unit;   // Of the value, as --help shows it: "N", "MS", "BYTES", "HOST:PORT", ...
  absl::string_view help;
  int64_t min = 0;  // Of numbers, both ends included.
  int64_t max = 0;
};

// In the order of --help.
absl::Span<const Setting> AllSettings();

// nullptr: no such flag.
const Setting* FindSetting(absl::string_view flag);

// A flag without a value means true.
bool IsSwitch(const Setting& setting);

// The default as --help shows it.
std::string DefaultText(const Setting& setting);

// Sets the field from text: numbers; bytes also with KiB, MiB, GiB; switches "true" and "false"; enum values
// in any case. Errors: INVALID_ARGUMENT says the flag, what is wrong and what is allowed.
absl::Status SetFromText(const Setting& setting, absl::string_view text, config::ServerConfig& config);

// INVALID_ARGUMENT if the field is set out of its range; the message has the value and the range, not the
// place.
absl::Status CheckRange(const Setting& setting, const config::ServerConfig& config);

}  // namespace attendant
