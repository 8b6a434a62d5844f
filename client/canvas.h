#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace attendant::client {

struct Rgb {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;
  friend bool operator==(const Rgb&, const Rgb&) = default;
};

// The colour at `share` of the way.
Rgb Mix(Rgb from, Rgb to, float share);

struct Point {
  int x = 0;
  int y = 0;
};

struct Box {
  Point top_left;
  int width = 0;
  int height = 0;
};

// Pixels of one character of DrawText, gap included, and of a line of text.
inline constexpr int kFontScale = 2;
int TextWidth(std::string_view text);
int TextHeight();

// An RGB picture to draw on. What lies outside is not drawn. Not thread-safe.
class Canvas {
 public:
  static constexpr int kMaxSide = 16'384;

  // White. RESOURCE_EXHAUSTED beyond kMaxSide; each side at least 1.
  static absl::StatusOr<Canvas> Create(int width, int height);

  void Fill(const Box& box, Rgb color);
  // Left to right; top_left of the first character's cell.
  void DrawText(Point top_left, std::string_view text, Rgb color);
  // Turned to the left: reads from the bottom to the top; bottom_left is where the text begins.
  void DrawTextUpwards(Point bottom_left, std::string_view text, Rgb color);

  Rgb At(Point point) const { return pixels_[Index(point)]; }
  void Set(Point point, Rgb color) { pixels_[Index(point)] = color; }
  int width() const { return width_; }
  int height() const { return height_; }

  // The bytes of a PNG file, 8 bits, RGB.
  absl::StatusOr<std::string> EncodePng() const;

 private:
  Canvas(int width, int height)
      : width_(width), height_(height), pixels_(static_cast<size_t>(width) * height, Rgb{255, 255, 255}) {}
  size_t Index(Point point) const { return static_cast<size_t>(point.y) * width_ + point.x; }

  int width_;
  int height_;
  std::vector<Rgb> pixels_;
};

}  // namespace attendant::client
