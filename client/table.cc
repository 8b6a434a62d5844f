#include "client/table.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_format.h"
#include "client/utf8.h"

namespace attendant::client {
namespace {

struct Unit {
  double size;
  const char* name;
};

template <size_t N>
std::string Scale(int64_t number, const Unit (&units)[N]) {
  const auto value = static_cast<double>(number);
  for (const Unit& unit : units) {
    if (value >= unit.size) return absl::StrFormat("%.1f %s", value / unit.size, unit.name);
  }
  return absl::StrFormat("%d", number);
}

constexpr int kWidestCell = 60;

}  // namespace

std::string FormatTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<int> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(PrintableLabel(row[i], kWidestCell)));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string cell = PrintableLabel(row[i], kWidestCell);
      text += cell;
      if (i + 1 < row.size()) text.append(static_cast<size_t>(widths[i] - DisplayWidth(cell) + 2), ' ');
    }
    text += '\n';
  }
  return text;
}

std::string FormatCount(int64_t count) {
  constexpr Unit kUnits[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  return Scale(count, kUnits);
}

std::string FormatBytes(int64_t bytes) {
  constexpr Unit kUnits[] = {{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {0, "B"}};
  return Scale(bytes, kUnits);
}

}  // namespace attendant::client
