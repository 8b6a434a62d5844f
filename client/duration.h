#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace attendant::client {

struct DurationLimits {
  absl::Duration min = absl::Milliseconds(1);
  absl::Duration max = absl::Hours(24);
};

// "500ms", "30s", "2m", "1h30m": a number always has a unit, but for "0".
// INVALID_ARGUMENT for anything else and outside the limits, which are included.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text, const DurationLimits& limits);

// As a clock shows it: "0:07", "12:34", "1:02:03". Negative and infinite: "-:--".
std::string FormatClock(absl::Duration duration);

}  // namespace attendant::client
