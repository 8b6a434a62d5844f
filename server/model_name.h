#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace attendant {

// A model's name is 1 to 64 of A-Z a-z 0-9 . _ - without a leading dot, so it can never be a path, and is
// safe in a log line and a metric label. INVALID_ARGUMENT says what is wrong; the name itself is not echoed.
absl::Status CheckModelName(absl::string_view name);

}  // namespace attendant
