#pragma once

#include <chrono>
#include <mutex>

namespace attendant {

// Steady time: deadlines and latencies never follow the wall clock.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// "No deadline".
inline constexpr TimePoint kInfiniteFuture = TimePoint::max();

// Source of steady time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;

  // The machine's steady clock; lives for ever.
  static const Clock& Real();
};

// A clock that moves only when told to, for tests. Thread-safe.
class FakeClock final : public Clock {
 public:
  TimePoint Now() const override;
  void Advance(Duration by);

 private:
  mutable std::mutex mutex_;
  TimePoint now_{std::chrono::hours(1)};  // Guarded by mutex_. Not 0, so that "an hour ago" exists.
};

}  // namespace attendant
