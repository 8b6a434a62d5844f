#include "engine/kernels/vocab_scan.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/vocab_scan.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// foreach_target comes first.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace attendant {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<float>;

HWY_ATTR float MaxOf(const float* values, size_t count) {
  const Lanes lanes;
  const size_t step = hn::Lanes(lanes);
  auto max = hn::Set(lanes, -std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + step <= count; i += step) max = hn::Max(max, hn::LoadU(lanes, values + i));
  float result = hn::GetLane(hn::MaxOfLanes(lanes, max));
  for (; i < count; ++i) result = std::max(result, values[i]);
  return result;
}

// Σ exp(values - max), NaN if any value is not finite: Highway's Exp takes NaN for a very small number, so
// that a sum of 0 · x goes along.
HWY_ATTR float SumExp(const float* values, size_t count, float max) {
  const Lanes lanes;
  const size_t step = hn::Lanes(lanes);
  const auto top = hn::Set(lanes, max);
  const auto zero = hn::Zero(lanes);
  auto even = zero, odd = zero, finite = zero;
  size_t i = 0;
  for (; i + 2 * step <= count; i += 2 * step) {
    const auto first = hn::LoadU(lanes, values + i);
    const auto second = hn::LoadU(lanes, values + i + step);
    finite = hn::MulAdd(first, zero, hn::MulAdd(second, zero, finite));
    even = hn::Add(even, hn::Exp(lanes, hn::Sub(first, top)));
    odd = hn::Add(odd, hn::Exp(lanes, hn::Sub(second, top)));
  }
  float result = hn::GetLane(hn::SumOfLanes(lanes, hn::Add(hn::Add(even, odd), finite)));
  for (; i < count; ++i) result += std::exp(values[i] - max);
  return result;
}

// The first index from `from` on whose value is over the threshold; count if there is none.
HWY_ATTR size_t FindOver(const float* values, size_t from, size_t count, float threshold) {
  const Lanes lanes;
  const size_t step = hn::Lanes(lanes);
  const auto limit = hn::Set(lanes, threshold);
  size_t i = from;
  for (; i + step <= count; i += step) {
    const intptr_t lane = hn::FindFirstTrue(lanes, hn::Gt(hn::LoadU(lanes, values + i), limit));
    if (lane >= 0) return i + static_cast<size_t>(lane);
  }
  for (; i < count; ++i) {
    if (values[i] > threshold) return i;
  }
  return count;
}

}  // namespace HWY_NAMESPACE
}  // namespace attendant
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attendant {
namespace {
HWY_EXPORT(MaxOf);
HWY_EXPORT(SumExp);
HWY_EXPORT(FindOver);

size_t Find(absl::Span<const float> tile, size_t from, float threshold) {
  return HWY_DYNAMIC_DISPATCH(FindOver)(tile.data(), from, tile.size(), threshold);
}

}  // namespace

RunningLogSumExp::RunningLogSumExp() : max(kNoLogit) {}

void RunningLogSumExp::Add(absl::Span<const float> tile) {
  const float tile_max = HWY_DYNAMIC_DISPATCH(MaxOf)(tile.data(), tile.size());
  if (tile_max > max) {
    sum *= std::exp(max - tile_max);
    max = tile_max;
  }
  if (max == kNoLogit) return;  // A tile in which nothing counts.
  sum += HWY_DYNAMIC_DISPATCH(SumExp)(tile.data(), tile.size(), max);
}

float RunningLogSumExp::Value() const {
  return max + std::log(sum);
}

float RunningTopK::threshold() const {
  return size_ < storage_.size() ? kNoLogit : storage_[size_ - 1].score;
}

void RunningTopK::Add(absl::Span<const float> tile, int32_t first_token) {
  if (storage_.empty()) return;
  for (size_t i = Find(tile, 0, threshold()); i < tile.size(); i = Find(tile, i + 1, threshold())) {
    Insert({first_token + static_cast<int32_t>(i), tile[i]});
  }
}

void RunningTopK::Insert(TokenScore candidate) {
  size_t place = size_ < storage_.size() ? size_++ : size_ - 1;
  // Strictly less: of equal scores the earlier token stays in front.
  for (; place > 0 && storage_[place - 1].score < candidate.score; --place)
    storage_[place] = storage_[place - 1];
  storage_[place] = candidate;
}

}  // namespace attendant
#endif  // HWY_ONCE
