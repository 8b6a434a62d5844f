#include "client/duration.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/strings.h"

namespace attendant::client {

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text, const DurationLimits& limits) {
  absl::Duration duration;
  if (!absl::ParseDuration(Absl(text), &duration)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", Absl(text), "' is not a time: write a number with its unit, such as 500ms, 30s or 2m"));
  }
  if (duration < limits.min || duration > limits.max) {
    return absl::InvalidArgumentError(absl::StrCat("'", Absl(text),
                                                   "' is out of range: ", absl::FormatDuration(limits.min),
                                                   " to ", absl::FormatDuration(limits.max)));
  }
  return duration;
}

std::string FormatClock(absl::Duration duration) {
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) return "-:--";
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < 3600) return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace attendant::client
