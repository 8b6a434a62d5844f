#pragma once

#include <string>
#include <vector>

#include "client/canvas.h"
#include "client/heat_map.h"

namespace attendant::client {

// Where things go in a picture of heat maps, in pixels; PNG and SVG share it.
inline constexpr int kMarginPixels = 16;
inline constexpr int kCellPixels = 30;
inline constexpr int kLabelGapPixels = 6;
inline constexpr int kMaxLabelCharacters = 24;

struct PlacedMap {
  HeatMap map;     // With printable labels.
  Point top_left;  // Of the first cell.
};

struct HeatMapLayout {
  std::vector<PlacedMap> maps;  // One below the other, cells aligned at the left.
  int width = 0;
  int height = 0;
};

HeatMapLayout LayOut(const std::vector<HeatMap>& maps);

// White for 0, to dark blue for 1.
Rgb ColorOf(float weight);

}  // namespace attendant::client
