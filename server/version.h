#pragma once

#include <string_view>

namespace attendant {

// Of the server and of its public API.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace attendant
