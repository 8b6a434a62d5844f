#pragma once

#include "absl/strings/string_view.h"

namespace attendant {

// Of the server and of its public API.
inline constexpr absl::string_view kVersion = "0.1.0";

}  // namespace attendant
