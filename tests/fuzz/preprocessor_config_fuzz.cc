// A preprocessor_config.json that nobody has checked: an error, or values that keep what their headers
// promise, and that an image can be prepared with.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/image/preprocess.h"

namespace {

void Expect(bool holds) {
  if (!holds) std::abort();
}

void ExpectEdge(int pixels) {
  Expect(pixels >= 1 && pixels <= attendant::kMaxPreprocessedEdgePixels);
}

void CheckTensor(const attendant::PreprocessorConfig& config) {
  constexpr int kMaxEdge = 64;  // Larger ones are right, but slow.
  for (const int edge : {config.size.width, config.size.height, config.crop_size.width,
                         config.crop_size.height, config.shortest_edge.value_or(1)}) {
    if (edge > kMaxEdge) return;
  }
  const auto tensor = attendant::Preprocess(attendant::Image::OfSize({9, 7}), config);
  if (!tensor.ok()) return;
  Expect(tensor->values.size() == size_t{3} * tensor->width * tensor->height);
  for (const float value : tensor->values) Expect(std::isfinite(value));
  if (const auto size = config.OutputSize())
    Expect(*size == attendant::ImageSize{tensor->width, tensor->height});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = attendant::ParsePreprocessorConfig(text, "preprocessor_config.json");
  if (!config.ok()) return 0;
  for (const attendant::ImageSize edges : {config->size, config->crop_size}) {
    ExpectEdge(edges.width);
    ExpectEdge(edges.height);
  }
  ExpectEdge(config->shortest_edge.value_or(1));
  Expect(config->rescale_factor > 0);
  for (const float std : config->image_std) Expect(std > 0);
  CheckTensor(*config);
  return 0;
}
