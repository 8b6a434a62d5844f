#include "engine/kernels/layer_norm.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/layer_norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// foreach_target comes first.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace attendant {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Two passes over a row that is in L1: the mean, then the squares of what differs from it (no cancellation).
HWY_ATTR void NormalizeRow(const LayerNormWeights& weights, float* row) {
  const hn::ScalableTag<float> lanes;
  const size_t step = hn::Lanes(lanes);
  const size_t whole = weights.dim / step * step;
  const float inverse_dim = 1.0f / static_cast<float>(weights.dim);

  auto sum = hn::Zero(lanes);
  for (size_t i = 0; i < whole; i += step) sum = hn::Add(sum, hn::LoadU(lanes, row + i));
  float total = hn::GetLane(hn::SumOfLanes(lanes, sum));
  for (size_t i = whole; i < weights.dim; ++i) total += row[i];
  const float mean = total * inverse_dim;

  const auto means = hn::Set(lanes, mean);
  auto squares = hn::Zero(lanes);
  for (size_t i = 0; i < whole; i += step) {
    const auto difference = hn::Sub(hn::LoadU(lanes, row + i), means);
    squares = hn::MulAdd(difference, difference, squares);
  }
  float variance = hn::GetLane(hn::SumOfLanes(lanes, squares));
  for (size_t i = whole; i < weights.dim; ++i) variance += (row[i] - mean) * (row[i] - mean);
  const float factor = 1.0f / std::sqrt(variance * inverse_dim + weights.epsilon);

  const auto factors = hn::Set(lanes, factor);
  for (size_t i = 0; i < whole; i += step) {
    const auto normal = hn::Mul(hn::Sub(hn::LoadU(lanes, row + i), means), factors);
    hn::StoreU(hn::MulAdd(normal, hn::LoadU(lanes, weights.scale + i), hn::LoadU(lanes, weights.shift + i)),
               lanes, row + i);
  }
  for (size_t i = whole; i < weights.dim; ++i)
    row[i] = (row[i] - mean) * factor * weights.scale[i] + weights.shift[i];
}

HWY_ATTR void NormalizeRows(const LayerNormWeights& weights, float* rows, size_t count) {
  for (size_t r = 0; r < count; ++r) NormalizeRow(weights, rows + r * weights.dim);
}

}  // namespace HWY_NAMESPACE
}  // namespace attendant
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attendant {
namespace {
HWY_EXPORT(NormalizeRows);
}  // namespace

void LayerNorm(const LayerNormWeights& weights, float* rows, size_t count) {
  HWY_DYNAMIC_DISPATCH(NormalizeRows)(weights, rows, count);
}

}  // namespace attendant
#endif  // HWY_ONCE
