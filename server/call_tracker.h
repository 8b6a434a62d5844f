#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "engine/base/clock.h"

namespace attendant {

// Counts the calls that are accepted and not yet answered, so that a drain can wait for them. Thread-safe.
class CallTracker {
 public:
  // False once StopAccepting was called: refuse the call. Otherwise Leave must follow.
  bool Enter();
  void Leave();
  void StopAccepting();
  // False if `timeout` came before the last call left.
  bool WaitIdle(Duration timeout);

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  int64_t in_flight_ = 0;  // Guarded by mutex_, as is ...
  bool accepting_ = true;
};

}  // namespace attendant
