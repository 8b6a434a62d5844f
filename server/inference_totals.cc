#include "server/inference_totals.h"

#include <algorithm>
#include <chrono>

namespace attendant {

void InferenceCounter::AddCall(CallEnd end, Duration took) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::lock_guard lock(mutex_);
  (end == CallEnd::kOk ? totals_.succeeded : totals_.failed).Add(took);
  totals_.last_call_unix_ms =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

void InferenceCounter::AddInput(const InputTime& time) {
  const std::lock_guard lock(mutex_);
  totals_.prepare.Add(time.prepare);
  totals_.queue.Add(time.queue);
  // A translation's queue time is its longest sentence's: together they may exceed the total.
  totals_.compute.Add(std::max(Duration{}, time.total - time.prepare - time.queue));
}

void InferenceCounter::AddStep() {
  const std::lock_guard lock(mutex_);
  ++totals_.steps;
}

InferenceTotals InferenceCounter::Read() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

}  // namespace attendant
