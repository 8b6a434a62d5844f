#include "server/call_tracker.h"

namespace attendant {

bool CallTracker::Enter() {
  const std::lock_guard lock(mutex_);
  if (!accepting_) return false;
  ++in_flight_;
  return true;
}

void CallTracker::Leave() {
  const std::lock_guard lock(mutex_);
  if (--in_flight_ == 0) idle_.notify_all();
}

void CallTracker::StopAccepting() {
  const std::lock_guard lock(mutex_);
  accepting_ = false;
}

bool CallTracker::WaitIdle(Duration timeout) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, timeout, [this] { return in_flight_ == 0; });
}

}  // namespace attendant
