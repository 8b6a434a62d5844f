#include "server/retry_hint.h"

#include <algorithm>
#include <cmath>

namespace attendant {
namespace {

using FloatSeconds = std::chrono::duration<double>;
constexpr double kMemorySeconds = 10;
constexpr Duration kShortest = std::chrono::milliseconds(50);
constexpr Duration kLongest = std::chrono::seconds(10);
constexpr Duration kUnknown = std::chrono::seconds(1);

}  // namespace

double RetryHint::DecayedCount(TimePoint now) const {
  return count_ * std::exp(-FloatSeconds(now - updated_).count() / kMemorySeconds);
}

void RetryHint::OnFinished(int32_t sentences) {
  const TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  count_ = DecayedCount(now) + sentences;
  updated_ = now;
}

Duration RetryHint::After(int32_t queue_depth) const {
  const TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  const double rate = DecayedCount(now) / kMemorySeconds;
  if (rate * kMemorySeconds < 1) return kUnknown;
  const FloatSeconds wait(std::min(queue_depth / 2.0 / rate, FloatSeconds(kLongest).count()));
  return std::max(kShortest, std::chrono::duration_cast<Duration>(wait));
}

}  // namespace attendant
