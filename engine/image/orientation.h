#pragma once

#include <string_view>

#include "engine/image/image.h"

namespace attendant {

// How stored pixels are turned into the picture to look at. Source: EXIF 2.32, tag 0x0112.
enum class Orientation {
  kUpright = 1,
  kMirrored = 2,  // Left and right swapped.
  kRotated180 = 3,
  kFlipped = 4,           // Top and bottom swapped.
  kTransposed = 5,        // Rows become columns.
  kRotatedClockwise = 6,  // To be turned by 90 degrees clockwise.
  kTransverse = 7,        // Transposed about the other diagonal.
  kRotatedCounterclockwise = 8,
};

// What stands before EXIF data in a JPEG file.
inline constexpr std::string_view kExifPrefix{"Exif\0\0", 6};

// exif: a TIFF structure, after kExifPrefix if that is there. xmp: an XML packet, read only if the EXIF data
// names no orientation. Either may be empty. Broken data and unknown values count as upright. Never fails.
Orientation FindOrientation(std::string_view exif, std::string_view xmp);

Image Orient(Image image, Orientation orientation);

}  // namespace attendant
