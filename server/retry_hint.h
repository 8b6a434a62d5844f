#pragma once

#include <cstdint>
#include <mutex>

#include "engine/base/clock.h"

namespace attendant {

// Tells a refused client when to come again: when half of the queue will be gone, at the rate of the last ten
// seconds or so. Thread-safe.
class RetryHint {
 public:
  explicit RetryHint(const Clock& clock) : clock_(clock), updated_(clock.Now()) {}

  // So many sentences were finished now.
  void OnFinished(int32_t sentences);
  // 50 ms to 10 s; 1 s when nothing is known yet.
  Duration After(int32_t queue_depth) const;

 private:
  double DecayedCount(TimePoint now) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  double count_ = 0;   // Finished sentences, older ones weighing less. Guarded by mutex_, as is ...
  TimePoint updated_;  // ... when count_ was right.
};

}  // namespace attendant
