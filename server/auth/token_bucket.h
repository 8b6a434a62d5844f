#pragma once

#include <atomic>
#include <cstdint>

#include "engine/base/clock.h"

namespace attendant {

struct TokenRate {
  double per_second = 0;  // 0: no limit.
  int32_t burst = 1;      // Tokens that a pause can save up, at least 1.
};

// A token bucket in one word: the time at which it will be full again (the generic cell rate algorithm, ITU-T
// I.371). Starts full. Thread-safe, without locks.
class TokenBucket {
 public:
  // Takes a token and returns zero, or takes none and returns how long until there is one.
  Duration Take(const TokenRate& rate, TimePoint now);

 private:
  std::atomic<Duration::rep> full_at_{0};
};

}  // namespace attendant
