#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "client/heat_map.h"
#include "client/strings.h"
#include "client/utf8.h"

namespace attendant::client {
namespace {

constexpr int kCellColumns = 3;
constexpr int kMaxLabelColumns = 20;

// From nothing to all. As 256-colour backgrounds: dark to bright, so that weight stands out on a dark
// terminal ...
constexpr int kColors[] = {235, 236, 237, 23, 24, 30, 31, 37, 43, 79, 121, 228};
// ... and as ink.
constexpr std::string_view kShades[] = {" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"};

template <typename T, size_t N>
const T& Pick(const T (&scale)[N], float weight) {
  const float clamped = std::isfinite(weight) ? std::clamp(weight, 0.0F, 1.0F) : 0.0F;
  // Square root: the small weights, which are the many, get more of the scale.
  return scale[std::min(N - 1, static_cast<size_t>(std::sqrt(clamped) * static_cast<float>(N)))];
}

std::string Cell(float weight, bool color) {
  if (color) return absl::StrCat("\x1b[48;5;", Pick(kColors, weight), "m", std::string(kCellColumns, ' '));
  const std::string_view shade = Pick(kShades, weight);
  return absl::StrCat(std::string(kCellColumns - 1, shade[0]), " ");
}

struct Part {
  size_t first;
  size_t end;
  int label_columns;
};

std::string Padding(int columns) {
  return std::string(static_cast<size_t>(std::max(0, columns)), ' ');
}

// Each source token on a line of its own, above its column, with a line down to it.
std::string Staircase(const HeatMap& map, const Part& part, const TerminalStyle& style) {
  const std::string_view corner = style.color ? "┌ " : ", ";
  const std::string_view stem = style.color ? "│" : "|";
  std::string text;
  for (size_t row = part.first; row < part.end; ++row) {
    absl::StrAppend(&text, Padding(part.label_columns + 1));
    for (size_t column = part.first; column < row; ++column) {
      absl::StrAppend(&text, Absl(stem), Padding(kCellColumns - 1));
    }
    absl::StrAppend(&text, absl::string_view(corner.data(), corner.size()),
                    PrintableLabel(map.source_tokens[row], kMaxLabelColumns), "\n");
  }
  return text;
}

std::string Rows(const HeatMap& map, const Part& part, const TerminalStyle& style) {
  std::string text;
  for (size_t row = 0; row < map.target_tokens.size(); ++row) {
    const std::string label = PrintableLabel(map.target_tokens[row], kMaxLabelColumns);
    absl::StrAppend(&text, Padding(part.label_columns - DisplayWidth(label)), label, " ");
    for (size_t column = part.first; column < part.end; ++column) {
      text += Cell(map.weights[row][column], style.color);
    }
    if (style.color) text += "\x1b[0m";
    while (!style.color && text.back() == ' ') text.pop_back();
    text += '\n';
  }
  return text;
}

}  // namespace

std::string RenderTerminal(const HeatMap& map, const TerminalStyle& style) {
  int label_columns = 0;
  for (const std::string& token : map.target_tokens) {
    label_columns = std::max(label_columns, DisplayWidth(PrintableLabel(token, kMaxLabelColumns)));
  }
  // The last stair's label has to fit as well.
  const int room = style.columns - label_columns - 1 - kMaxLabelColumns;
  const auto per_part = static_cast<size_t>(std::max(1, room / kCellColumns));
  std::string text;
  for (size_t first = 0; first < map.source_tokens.size(); first += per_part) {
    const Part part{first, std::min(map.source_tokens.size(), first + per_part), label_columns};
    if (first > 0) text += '\n';
    text += Staircase(map, part, style);
    text += Rows(map, part, style);
  }
  return text;
}

}  // namespace attendant::client
