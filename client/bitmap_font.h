#pragma once

#include <array>
#include <cstdint>

namespace attendant::client {

// A small font of our own, so that images need no font library: ASCII, Latin-1 and Latin Extended-A letters
// (base letter and accent put together), and the punctuation of translations. Any other character is a box.
//
// A glyph is kGlyphRows rows from the top; bit kGlyphColumns-1 of a row is its leftmost pixel. Rows 0 to 3
// are for the accents of capitals, rows 4 to 10 for the letter on its baseline, rows 11 and 12 are below it.
inline constexpr int kGlyphColumns = 5;
inline constexpr int kGlyphRows = 13;
// From one character to the next, with the gap.
inline constexpr int kGlyphAdvance = 6;

using Glyph = std::array<uint8_t, kGlyphRows>;

Glyph GlyphFor(char32_t code_point);

// Whether GlyphFor knows it, rather than drawing a box.
bool HasGlyph(char32_t code_point);

}  // namespace attendant::client
