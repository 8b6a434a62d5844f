#include "engine/scheduler/wait_estimator.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace attendant {
namespace {

using FloatSeconds = std::chrono::duration<double>;

// Evidence older than this, in seconds that such a load lasted, counts for little.
constexpr double kMemorySeconds = 4;
constexpr double kLongestStepSeconds = 1;
// Throughput is known after so much of both: less would measure how a batch fills.
constexpr double kLeastSeconds = 0.3;
constexpr double kLeastJobs = 8;
// "For ever", short enough to be added to a time point.
constexpr double kLongestSeconds = 1e6;

}  // namespace

size_t WaitEstimator::LevelOf(int64_t num_running) {
  const auto width =
      static_cast<size_t>(std::bit_width(static_cast<uint64_t>(std::max<int64_t>(num_running, 1))));
  return std::min(width - 1, kLevels - 1);
}

bool WaitEstimator::IsEnough(const Evidence& evidence) {
  return evidence.seconds >= kLeastSeconds && evidence.jobs >= kLeastJobs;
}

void WaitEstimator::Note(TimePoint now, int64_t num_running, int64_t finished_jobs, int64_t finished_units) {
  if (last_.has_value() && last_running_ > 0) {
    const double seconds = std::clamp(FloatSeconds(now - *last_).count(), 0.0, kLongestStepSeconds);
    Evidence& evidence = levels_[LevelOf(last_running_)];
    const double kept = std::exp(-seconds / kMemorySeconds);
    evidence.seconds = evidence.seconds * kept + seconds;
    evidence.jobs = evidence.jobs * kept + static_cast<double>(finished_jobs);
    evidence.units = evidence.units * kept + static_cast<double>(finished_units);
  }
  last_ =
      last_.has_value() ? std::max(*last_, now) : now;  // Workers read their clocks before they come here.
  last_running_ = num_running;
}

std::optional<Duration> WaitEstimator::TimeOf(int64_t units, int64_t num_running) const {
  const size_t wanted = LevelOf(num_running);
  for (size_t level = wanted + 1; level-- > 0;) {
    const Evidence& evidence = levels_[level];
    if (!IsEnough(evidence) || evidence.units <= 0) continue;
    const double growth = std::ldexp(1.0, static_cast<int>(wanted - level));
    const double rate = evidence.units / evidence.seconds * growth;
    const FloatSeconds time(std::min(static_cast<double>(units) / rate, kLongestSeconds));
    return std::chrono::duration_cast<Duration>(time);
  }
  return std::nullopt;
}

double WaitEstimator::units_per_job() const {
  double jobs = 0;
  double units = 0;
  for (const Evidence& evidence : levels_) {
    jobs += evidence.jobs;
    units += evidence.units;
  }
  return jobs < 1 ? 1 : units / jobs;
}

}  // namespace attendant
