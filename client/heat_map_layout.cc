#include "client/heat_map_layout.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "client/utf8.h"

namespace attendant::client {
namespace {

void MakePrintable(std::vector<std::string>& labels) {
  for (std::string& label : labels) label = PrintableLabel(label, kMaxLabelCharacters);
}

int WidestLabel(const std::vector<std::string>& labels) {
  int widest = 0;
  for (const std::string& label : labels) widest = std::max(widest, TextWidth(label));
  return widest;
}

int CellsPixels(size_t count) {
  return static_cast<int>(count) * kCellPixels;
}

}  // namespace

HeatMapLayout LayOut(const std::vector<HeatMap>& maps) {
  HeatMapLayout layout;
  int left = 0;
  for (const HeatMap& map : maps) {
    layout.maps.push_back({map, {}});
    MakePrintable(layout.maps.back().map.source_tokens);
    MakePrintable(layout.maps.back().map.target_tokens);
    left = std::max(left, WidestLabel(layout.maps.back().map.target_tokens));
  }
  left += kMarginPixels + kLabelGapPixels;
  layout.width = left + kMarginPixels;
  for (PlacedMap& placed : layout.maps) {
    const int header = WidestLabel(placed.map.source_tokens) + kLabelGapPixels;
    placed.top_left = {left, layout.height + kMarginPixels + header};
    layout.height = placed.top_left.y + CellsPixels(placed.map.target_tokens.size());
    layout.width =
        std::max(layout.width, left + CellsPixels(placed.map.source_tokens.size()) + kMarginPixels);
  }
  layout.height += kMarginPixels;
  return layout;
}

Rgb ColorOf(float weight) {
  const float share = std::isfinite(weight) ? std::clamp(weight, 0.0F, 1.0F) : 0.0F;
  // Two straight lines, through a middle blue: nearer to even steps for the eye than one.
  constexpr Rgb kLightest{246, 249, 253}, kMiddle{92, 158, 210}, kDarkest{8, 40, 96};
  return share < 0.5F ? Mix(kLightest, kMiddle, share * 2) : Mix(kMiddle, kDarkest, share * 2 - 1);
}

}  // namespace attendant::client
