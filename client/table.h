#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace attendant::client {

// Rows as text with aligned columns, two spaces between them; the first row is the header. Rows may be
// shorter.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows);

// "12.3 M", "980 k", "7": of a count.
std::string FormatCount(int64_t count);
// "40.1 MiB": of memory.
std::string FormatBytes(int64_t bytes);

}  // namespace attendant::client
