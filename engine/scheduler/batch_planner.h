#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "engine/base/clock.h"

namespace attendant {

// Limits of one worker's step.
struct PlannerLimits {
  int32_t max_rows = 256;  // Rows in one decode step.
  int32_t max_encode_tokens =
      1024;                   // Encoder tokens that enter in one step; a longer single job enters alone.
  int32_t max_running = 256;  // Jobs running at once.
  // Blocks per running job that an admission leaves free, beyond all next steps: what enters should not be
  // preempted at once. 0: none.
  int32_t spare_blocks_per_job = 1;
  Duration priority_step =
      std::chrono::seconds(1);  // A waiting job gains one priority level per this much waiting.
};

// The planner's view of a job: plain values.
struct WaitingJob {
  int32_t encode_tokens = 0;
  int32_t max_rows = 1;
  int32_t start_blocks = 0;
  int priority = 0;
  TimePoint arrival;
  TimePoint deadline = kInfiniteFuture;
  bool cancelled = false;
};
struct RunningJob {
  int32_t max_rows = 1;
  int32_t blocks_for_next_step = 0;
  int32_t held_blocks = 0;  // Given back when it leaves.
  int priority = 0;
  TimePoint arrival;
  TimePoint deadline = kInfiniteFuture;
  bool cancelled = false;
};

// What the next step does. Indices into the planner's inputs, each job in at most one list.
struct Plan {
  std::vector<int32_t> drop_waiting;  // Expired or cancelled while they waited.
  std::vector<int32_t> drop_running;  // Expired or cancelled while they ran.
  std::vector<int32_t>
      preempt;  // Running ones that go back to wait, so that the others' blocks fit; never the oldest.
  std::vector<int32_t> admit;  // Waiting ones that start now, in this order.
};

struct PlannerInput {
  absl::Span<const WaitingJob> waiting;  // In order of arrival.
  absl::Span<const RunningJob> running;
  int32_t free_blocks = 0;
  int32_t num_blocks = 0;
  int32_t fair_share = 0;  // Running jobs that this worker should have at most while other workers could take
                           // them; 0: no limit.
  TimePoint now;
};

// Pure: the same values give the same plan. A job's rank is its arrival brought forward by priority_step per
// priority level; what was put off long enough goes before anything newer, so nothing starves.
// Promises:
// 1. Exactly the expired (deadline <= now) and the cancelled are dropped.
// 2. Admission is in order of rank, ties by arrival, then by index; a job that does not fit is not overtaken.
// 3. Whom the limits, the fair share or the blocks have no room for is not admitted; but if nothing runs, the
//    first that waits is, whatever its size.
// 4. Preemption takes the last in rank first, only as many as the others' next steps need, and never the
//    first in rank; nothing is admitted in the same plan.
// 5. After the plan, every running and admitted job's next step fits the pool, as far as each single job
//    fits it.
Plan MakePlan(const PlannerLimits& limits, const PlannerInput& input);

}  // namespace attendant
