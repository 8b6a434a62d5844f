#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/heat_map.h"
#include "client/heat_map_layout.h"

namespace attendant::client {
namespace {

constexpr absl::string_view kTextStyle = "font-family=\"sans-serif\" font-size=\"16\" fill=\"#282c34\"";

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string Hex(Rgb color) {
  return absl::StrFormat("#%02x%02x%02x", color.red, color.green, color.blue);
}

void AppendLabels(const PlacedMap& placed, std::string& svg) {
  const Point origin = placed.top_left;
  constexpr int kBaseline = kCellPixels * 2 / 3;
  for (size_t column = 0; column < placed.map.source_tokens.size(); ++column) {
    const int x = origin.x + static_cast<int>(column) * kCellPixels + kBaseline;
    const int y = origin.y - kLabelGapPixels;
    absl::StrAppendFormat(&svg, "<text transform=\"translate(%d %d) rotate(-90)\" %s>%s</text>\n", x, y,
                          kTextStyle, Escape(placed.map.source_tokens[column]));
  }
  for (size_t row = 0; row < placed.map.target_tokens.size(); ++row) {
    const int y = origin.y + static_cast<int>(row) * kCellPixels + kBaseline;
    absl::StrAppendFormat(&svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" %s>%s</text>\n",
                          origin.x - kLabelGapPixels, y, kTextStyle, Escape(placed.map.target_tokens[row]));
  }
}

// A cell tells its tokens and its weight when the mouse rests on it.
void AppendCells(const PlacedMap& placed, std::string& svg) {
  const HeatMap& map = placed.map;
  for (size_t row = 0; row < map.target_tokens.size(); ++row) {
    for (size_t column = 0; column < map.source_tokens.size(); ++column) {
      const float weight = map.weights[row][column];
      absl::StrAppendFormat(&svg,
                            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>%s - %s: "
                            "%.3f</title></rect>\n",
                            placed.top_left.x + static_cast<int>(column) * kCellPixels,
                            placed.top_left.y + static_cast<int>(row) * kCellPixels, kCellPixels - 1,
                            kCellPixels - 1, Hex(ColorOf(weight)), Escape(map.source_tokens[column]),
                            Escape(map.target_tokens[row]), weight);
    }
  }
}

}  // namespace

std::string RenderSvg(const std::vector<HeatMap>& maps) {
  const HeatMapLayout layout = LayOut(maps);
  std::string svg = absl::StrFormat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
      layout.width, layout.height, layout.width, layout.height);
  for (const PlacedMap& placed : layout.maps) {
    AppendLabels(placed, svg);
    AppendCells(placed, svg);
  }
  return svg + "</svg>\n";
}

}  // namespace attendant::client
