#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/clock.h"

namespace attendant {

// Expects how long work takes to be done, from the throughput that was measured while as many jobs ran.
// A batch of many jobs does more in a second than one job alone: so throughput is kept for each power of two
// of running jobs, over the last seconds in which so many ran. That makes Little's law right at any load:
// time in the system = work in it / throughput.
// 1. No opinion until there is evidence. 2. Where there is none for so many jobs, it expects the throughput
// of fewer to grow in proportion: it errs towards accepting. 3. A stall (a stopped process, a stolen core)
// weighs no more than a second, and what stands idle not at all. Not thread-safe.
class WaitEstimator {
 public:
  // At `now`, `num_running` jobs run, and jobs with so many units in all have finished since the last call.
  void Note(TimePoint now, int64_t num_running, int64_t finished_jobs, int64_t finished_units);
  // The time that so many units take while num_running jobs run.
  std::optional<Duration> TimeOf(int64_t units, int64_t num_running) const;
  // Mean of a finished job; 1 if there was none.
  double units_per_job() const;

 private:
  struct Evidence {
    double seconds = 0;
    double jobs = 0;
    double units = 0;
  };
  static constexpr size_t kLevels = 24;
  static size_t LevelOf(int64_t num_running);
  static bool IsEnough(const Evidence& evidence);

  std::array<Evidence, kLevels> levels_{};  // By the binary logarithm of running jobs.
  std::optional<TimePoint> last_;
  int64_t last_running_ = 0;
};

}  // namespace attendant
