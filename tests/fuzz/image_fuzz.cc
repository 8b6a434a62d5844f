// An image file that nobody has checked: an error, or values that keep what their headers promise.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/image/decode.h"
#include "engine/image/preprocess.h"

namespace {

void Expect(bool holds) {
  if (!holds) std::abort();
}

// Small enough that many inputs a second run.
constexpr attendant::ImageLimits kLimits = {
    .max_bytes = 1 << 20, .max_pixels = 1 << 16, .max_edge_pixels = 4096, .max_jpeg_scans = 20};

void CheckTensor(const attendant::Image& image, const attendant::PreprocessorConfig& config) {
  const auto tensor = attendant::Preprocess(image, config);
  if (!tensor.ok()) return;
  Expect(tensor->values.size() == size_t{3} * tensor->width * tensor->height);
  if (const auto size = config.OutputSize())
    Expect(*size == attendant::ImageSize{tensor->width, tensor->height});
}

void CheckImage(std::string_view bytes) {
  const auto image = attendant::DecodeImage(bytes, kLimits);
  if (!image.ok()) return;
  Expect(image->width >= 1 && image->width <= kLimits.max_edge_pixels);
  Expect(image->height >= 1 && image->height <= kLimits.max_edge_pixels);
  Expect(int64_t{image->width} * image->height <= kLimits.max_pixels);
  Expect(image->rgb.size() == size_t{3} * image->width * image->height);
  attendant::PreprocessorConfig config;
  config.size = {24, 16};
  CheckTensor(*image, config);
  config.shortest_edge = 12;
  config.do_center_crop = true;
  config.crop_size = {10, 14};
  config.resample = attendant::ResizeFilter::kLanczos;
  CheckTensor(*image, config);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  CheckImage(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
