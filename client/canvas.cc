#include "client/canvas.h"

#include <png.h>

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/bitmap_font.h"
#include "client/utf8.h"

namespace attendant::client {
namespace {

static_assert(sizeof(Rgb) == 3, "rows of Rgb are handed to libpng as they are");

// Calls set(column, row) for each pixel of the text, in a frame where it reads from left to right.
template <typename SetPixel>
void ForEachPixel(std::string_view text, const SetPixel& set) {
  int left = 0;
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    text.remove_prefix(c.length_bytes);
    if (DisplayWidth(c.code_point) == 0) continue;
    const Glyph glyph = GlyphFor(c.code_point);
    for (int row = 0; row < kGlyphRows; ++row) {
      for (int column = 0; column < kGlyphColumns; ++column) {
        const bool is_set = (glyph[static_cast<size_t>(row)] >> (kGlyphColumns - 1 - column) & 1) != 0;
        if (is_set) set(left + column, row);
      }
    }
    left += kGlyphAdvance;
  }
}

uint8_t MixChannel(uint8_t from, uint8_t to, float share) {
  const auto a = static_cast<float>(from);
  return static_cast<uint8_t>(std::lround(a + (static_cast<float>(to) - a) * share));
}

}  // namespace

Rgb Mix(Rgb from, Rgb to, float share) {
  return {MixChannel(from.red, to.red, share), MixChannel(from.green, to.green, share),
          MixChannel(from.blue, to.blue, share)};
}

int TextWidth(std::string_view text) {
  int characters = 0;
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    text.remove_prefix(c.length_bytes);
    characters += DisplayWidth(c.code_point) == 0 ? 0 : 1;
  }
  return characters * kGlyphAdvance * kFontScale;
}

int TextHeight() {
  return kGlyphRows * kFontScale;
}

absl::StatusOr<Canvas> Canvas::Create(int width, int height) {
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    return absl::ResourceExhaustedError(absl::StrCat("a picture of ", width, " x ", height,
                                                     " pixels is beyond ", kMaxSide, " x ", kMaxSide,
                                                     ": draw shorter texts"));
  }
  return Canvas(width, height);
}

void Canvas::Fill(const Box& box, Rgb color) {
  const int right = std::min(width_, box.top_left.x + box.width);
  const int bottom = std::min(height_, box.top_left.y + box.height);
  for (int y = std::max(0, box.top_left.y); y < bottom; ++y) {
    for (int x = std::max(0, box.top_left.x); x < right; ++x) pixels_[Index({x, y})] = color;
  }
}

void Canvas::DrawText(Point top_left, std::string_view text, Rgb color) {
  ForEachPixel(text, [&](int column, int row) {
    Fill({{top_left.x + column * kFontScale, top_left.y + row * kFontScale}, kFontScale, kFontScale}, color);
  });
}

void Canvas::DrawTextUpwards(Point bottom_left, std::string_view text, Rgb color) {
  ForEachPixel(text, [&](int column, int row) {
    Fill({{bottom_left.x + row * kFontScale, bottom_left.y - (column + 1) * kFontScale},
          kFontScale,
          kFontScale},
         color);
  });
}

absl::StatusOr<std::string> Canvas::EncodePng() const {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width_);
  image.height = static_cast<png_uint_32>(height_);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  const int row_stride = 0;  // As wide as the image.
  const int convert_to_8_bit = 0;
  if (png_image_write_to_memory(&image, bytes.data(), &size, convert_to_8_bit, pixels_.data(), row_stride,
                                nullptr) == 0) {
    return absl::InternalError(absl::StrCat("libpng: ", image.message));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace attendant::client
