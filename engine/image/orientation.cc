#include "engine/image/orientation.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace attendant {
namespace {

// Numbers of a TIFF structure, in its byte order. What lies outside reads as none.
class TiffReader {
 public:
  TiffReader(std::string_view bytes, bool is_big_endian) : bytes_(bytes), is_big_endian_(is_big_endian) {}

  std::optional<uint32_t> U16(size_t offset) const { return Number(offset, 2); }
  std::optional<uint32_t> U32(size_t offset) const { return Number(offset, 4); }

 private:
  std::optional<uint32_t> Number(size_t offset, size_t length) const {
    if (offset > bytes_.size() || bytes_.size() - offset < length) return std::nullopt;
    uint32_t number = 0;
    for (size_t i = 0; i < length; ++i) {
      const size_t at = is_big_endian_ ? offset + i : offset + length - 1 - i;
      number = number << 8 | static_cast<uint8_t>(bytes_[at]);
    }
    return number;
  }

  std::string_view bytes_;
  bool is_big_endian_;
};

// The value of the 12-byte directory entry at offset: tag, type, count, value.
std::optional<uint32_t> EntryValue(const TiffReader& tiff, size_t offset) {
  constexpr uint32_t kShort = 3;
  constexpr uint32_t kLong = 4;
  const auto type = tiff.U16(offset + 2);
  if (tiff.U32(offset + 4) != 1u) return std::nullopt;
  if (type == kShort) return tiff.U16(offset + 8);
  if (type == kLong) return tiff.U32(offset + 8);
  return std::nullopt;
}

// None: the data does not name an orientation; 0: it does so in a way that nobody reads.
std::optional<uint32_t> ExifOrientation(std::string_view exif) {
  constexpr uint32_t kOrientationTag = 0x0112;
  constexpr size_t kEntryBytes = 12;
  while (exif.substr(0, kExifPrefix.size()) == kExifPrefix) exif.remove_prefix(kExifPrefix.size());
  const bool is_big_endian = exif.substr(0, 2) == "MM";
  if (!is_big_endian && exif.substr(0, 2) != "II") return std::nullopt;
  const TiffReader tiff(exif, is_big_endian);
  const auto directory = tiff.U32(4);
  if (tiff.U16(2) != 42u || !directory) return std::nullopt;
  const uint32_t num_entries = tiff.U16(*directory).value_or(0);
  std::optional<uint32_t> orientation;
  for (size_t i = 0; i < num_entries; ++i) {
    const size_t entry = size_t{*directory} + 2 + i * kEntryBytes;
    if (!tiff.U32(entry + 8)) break;
    if (tiff.U16(entry) == kOrientationTag) orientation = EntryValue(tiff, entry).value_or(0);
  }
  return orientation;
}

// The digit in tiff:Orientation="6" or <tiff:Orientation>6<.
std::optional<uint32_t> XmpOrientation(std::string_view xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  for (size_t at = xmp.find(kName); at != std::string_view::npos; at = xmp.find(kName, at + 1)) {
    std::string_view rest = xmp.substr(at + kName.size());
    if (rest.substr(0, 2) == "=\"") {
      rest.remove_prefix(2);
    } else if (rest.substr(0, 1) == ">") {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return rest[0] - '0';
  }
  return std::nullopt;
}

// Where the pixel of the upright picture lies in the stored one: origin + x * per_column + y * per_row, in
// pixels.
struct Walk {
  ptrdiff_t origin;
  ptrdiff_t per_column;
  ptrdiff_t per_row;
};

Walk WalkOf(ImageSize stored, Orientation orientation) {
  const ptrdiff_t width = stored.width;
  const ptrdiff_t right = width - 1;
  const ptrdiff_t bottom = (stored.height - 1) * width;
  switch (orientation) {
    case Orientation::kMirrored:
      return {right, -1, width};
    case Orientation::kRotated180:
      return {bottom + right, -1, -width};
    case Orientation::kFlipped:
      return {bottom, 1, -width};
    case Orientation::kTransposed:
      return {0, width, 1};
    case Orientation::kRotatedClockwise:
      return {bottom, -width, 1};
    case Orientation::kTransverse:
      return {bottom + right, -width, -1};
    case Orientation::kRotatedCounterclockwise:
      return {right, width, -1};
    case Orientation::kUpright:
      break;
  }
  return {0, 1, width};
}

}  // namespace

Orientation FindOrientation(std::string_view exif, std::string_view xmp) {
  std::optional<uint32_t> value = ExifOrientation(exif);
  if (!value) value = XmpOrientation(xmp);
  return value >= 1u && value <= 8u ? static_cast<Orientation>(*value) : Orientation::kUpright;
}

Image Orient(Image image, Orientation orientation) {
  if (orientation == Orientation::kUpright) return image;
  const bool swaps_axes = orientation >= Orientation::kTransposed;
  Image upright = Image::OfSize(swaps_axes ? ImageSize{image.height, image.width} : image.size());
  const Walk walk = WalkOf(image.size(), orientation);
  uint8_t* dst = upright.rgb.data();
  for (ptrdiff_t y = 0; y < upright.height; ++y) {
    for (ptrdiff_t x = 0; x < upright.width; ++x, dst += 3) {
      std::memcpy(dst, image.rgb.data() + 3 * (walk.origin + x * walk.per_column + y * walk.per_row), 3);
    }
  }
  return upright;
}

}  // namespace attendant
