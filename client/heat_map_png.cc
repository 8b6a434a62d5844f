#include "client/canvas.h"
#include "client/heat_map.h"
#include "client/heat_map_layout.h"

namespace attendant::client {
namespace {

constexpr Rgb kInk = {40, 44, 52};
constexpr int kGridPixels = 1;  // White, between the cells.

void Draw(const PlacedMap& placed, Canvas& canvas) {
  const HeatMap& map = placed.map;
  const Point origin = placed.top_left;
  const int text_offset = (kCellPixels - TextHeight()) / 2;
  for (size_t column = 0; column < map.source_tokens.size(); ++column) {
    const int x = origin.x + static_cast<int>(column) * kCellPixels + text_offset;
    canvas.DrawTextUpwards({x, origin.y - kLabelGapPixels}, map.source_tokens[column], kInk);
  }
  for (size_t row = 0; row < map.target_tokens.size(); ++row) {
    const int y = origin.y + static_cast<int>(row) * kCellPixels;
    const int x = origin.x - kLabelGapPixels - TextWidth(map.target_tokens[row]);
    canvas.DrawText({x, y + text_offset}, map.target_tokens[row], kInk);
    for (size_t column = 0; column < map.source_tokens.size(); ++column) {
      const Point cell = {origin.x + static_cast<int>(column) * kCellPixels, y};
      canvas.Fill({cell, kCellPixels - kGridPixels, kCellPixels - kGridPixels},
                  ColorOf(map.weights[row][column]));
    }
  }
}

}  // namespace

absl::StatusOr<std::string> RenderPng(const std::vector<HeatMap>& maps) {
  const HeatMapLayout layout = LayOut(maps);
  absl::StatusOr<Canvas> canvas = Canvas::Create(layout.width, layout.height);
  if (!canvas.ok()) return canvas.status();
  for (const PlacedMap& placed : layout.maps) Draw(placed, *canvas);
  return canvas->EncodePng();
}

}  // namespace attendant::client
