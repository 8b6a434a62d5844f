#include "client/attention_overlay.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "engine/image/decode.h"
#include "engine/image/resize.h"

namespace attendant::client {
namespace {

constexpr float kHeatShare = 0.5F;     // Of the colour; the rest is the picture.
constexpr float kUnseenLight = 0.35F;  // What is left of the brightness there.

Rgb Unseen(Rgb pixel) {
  const float grey = 0.299F * static_cast<float>(pixel.red) + 0.587F * static_cast<float>(pixel.green) +
                     0.114F * static_cast<float>(pixel.blue);
  const auto level = static_cast<uint8_t>(std::lround(grey * kUnseenLight));
  return {level, level, level};
}

bool IsShare(float value) {
  return value >= 0 && value <= 1;
}

absl::Status CheckMap(const v1::AttentionMap& map) {
  const bool has_size = map.height() > 0 && map.width() > 0;
  const bool has_weights = has_size && int64_t{map.height()} * map.width() == map.weights_size();
  const bool has_region = IsShare(map.left()) && IsShare(map.top()) && IsShare(map.right()) &&
                          IsShare(map.bottom()) && map.left() < map.right() && map.top() < map.bottom();
  if (has_weights && has_region) return absl::OkStatus();
  return absl::InternalError("the server's attention map does not fit together");
}

ImageSize OverlaySize(ImageSize size) {
  const int longest = std::max(size.width, size.height);
  if (longest <= kMaxOverlayPixels) return size;
  const auto scaled = [longest](int pixels) {
    return std::max(1, static_cast<int>(int64_t{pixels} * kMaxOverlayPixels / longest));
  };
  return {scaled(size.width), scaled(size.height)};
}

// The two patches that a place lies between, and how far it is from the first to the second.
struct Between {
  int first;
  int second;
  float share;
};

Between Neighbours(float place, int patches) {
  const float at =
      std::clamp(place * static_cast<float>(patches) - 0.5F, 0.0F, static_cast<float>(patches - 1));
  const int first = static_cast<int>(at);
  return {first, std::min(first + 1, patches - 1), at - static_cast<float>(first)};
}

}  // namespace

Rgb HeatColor(float share) {
  constexpr Rgb kStops[] = {{13, 8, 65}, {106, 23, 110}, {203, 65, 73}, {247, 148, 29}, {252, 255, 164}};
  constexpr int kSteps = 4;
  const float at = (std::isfinite(share) ? std::clamp(share, 0.0F, 1.0F) : 0.0F) * kSteps;
  const int stop = std::min(static_cast<int>(at), kSteps - 1);
  return Mix(kStops[stop], kStops[stop + 1], at - static_cast<float>(stop));
}

float WeightAt(const v1::AttentionMap& map, float x, float y) {
  const Between column = Neighbours(x, map.width());
  const Between row = Neighbours(y, map.height());
  const auto along = [&](int r) {
    const float first = map.weights(r * map.width() + column.first);
    const float second = map.weights(r * map.width() + column.second);
    return first + (second - first) * column.share;
  };
  const float above = along(row.first);
  return above + (along(row.second) - above) * row.share;
}

absl::StatusOr<Canvas> OverlayAttention(const Image& picture, const v1::AttentionMap& map) {
  if (absl::Status status = CheckMap(map); !status.ok()) return status;
  const absl::StatusOr<Image> image = Resize(picture, OverlaySize(picture.size()), ResizeFilter::kBilinear);
  if (!image.ok()) return image.status();
  absl::StatusOr<Canvas> canvas = Canvas::Create(image->width, image->height);
  if (!canvas.ok()) return canvas.status();
  const float hottest = *std::max_element(map.weights().begin(), map.weights().end());
  for (int y = 0; y < image->height; ++y) {
    const uint8_t* row = image->Row(y);
    const float down = (static_cast<float>(y) + 0.5F) / static_cast<float>(image->height);
    for (int x = 0; x < image->width; ++x) {
      const Rgb pixel = {row[3 * x], row[3 * x + 1], row[3 * x + 2]};
      const float right = (static_cast<float>(x) + 0.5F) / static_cast<float>(image->width);
      const float map_x = (right - map.left()) / (map.right() - map.left());
      const float map_y = (down - map.top()) / (map.bottom() - map.top());
      const bool is_seen = IsShare(map_x) && IsShare(map_y);
      const float heat = is_seen && hottest > 0 ? WeightAt(map, map_x, map_y) / hottest : 0;
      canvas->Set({x, y}, is_seen ? Mix(pixel, HeatColor(heat), kHeatShare) : Unseen(pixel));
    }
  }
  return canvas;
}

absl::StatusOr<std::string> OverlayPng(std::string_view image_file, const v1::AttentionMap& map) {
  // The server took it: its own limits hold.
  const ImageLimits limits{.max_bytes = image_file.size(), .max_pixels = int64_t{256} << 20};
  const absl::StatusOr<Image> picture = DecodeImage(image_file, limits);
  if (!picture.ok()) return picture.status();
  const absl::StatusOr<Canvas> canvas = OverlayAttention(*picture, map);
  return canvas.ok() ? canvas->EncodePng() : canvas.status();
}

}  // namespace attendant::client
