#include "server/auth/token_bucket.h"

#include <algorithm>

namespace attendant {

Duration TokenBucket::Take(const TokenRate& rate, TimePoint now) {
  if (rate.per_second <= 0) return Duration::zero();
  const auto token = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate.per_second));
  const Duration all = token * rate.burst;
  const Duration today = now.time_since_epoch();
  Duration::rep old = full_at_.load(std::memory_order_relaxed);
  while (true) {
    // Never further away than an empty bucket: the rate may have been another one.
    const Duration full_at = std::clamp(Duration(old), today, today + all);
    const Duration missing = full_at + token - today - all;
    if (missing > Duration::zero()) return missing;
    if (full_at_.compare_exchange_weak(old, (full_at + token).count(), std::memory_order_relaxed)) {
      return Duration::zero();
    }
  }
}

}  // namespace attendant
