#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace attendant::client {

// Abseil's string_view is a type of its own in some of its builds.
inline absl::string_view Absl(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace attendant::client
