#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/base/clock.h"
#include "engine/base/core_shares.h"
#include "engine/scheduler/batch_planner.h"
#include "engine/scheduler/job.h"

namespace attendant {

enum class DropReason { kExpiredInQueue, kExpiredRunning, kCancelledInQueue, kCancelledRunning };

// Told what happens, for metrics. Calls come from worker threads and submitters at once, some under a lock
// (so that the last depth told is the true one): implementations are thread-safe and quick, and do not call
// the scheduler.
class SchedulerObserver {
 public:
  struct StepStats {
    int32_t worker = 0;
    int32_t rows = 0;            // Of the decode step; 0 if the iteration only let jobs go.
    int32_t running = 0;         // Jobs after the step.
    int32_t encoded_tokens = 0;  // Of the jobs that entered.
    int32_t entered = 0;
    int32_t free_blocks = 0;  // After the step.
    int32_t num_blocks = 0;
    Duration encode_time{};
    Duration step_time{};
    Duration core_wait{};  // For a core, before the step.
    Duration core_time{};  // Of all cores that the step held; 0 where cores are not shared out.
  };
  virtual ~SchedulerObserver() = default;
  virtual void OnStep(const StepStats& stats) = 0;
  virtual void OnQueueDepth(int32_t waiting) = 0;
  virtual void OnQueueTime(Duration waited) = 0;  // Once per job, when it starts for the first time.
  virtual void OnDrop(DropReason reason) = 0;
  virtual void OnPreempt() = 0;
  virtual void OnNotFinite() = 0;  // A job's model gave a NaN or an infinity.
};

// The payload of a RESOURCE_EXHAUSTED status that means: not full, but the deadline cannot be met.
inline constexpr char kLatePayload[] = "attendant/late";

struct SchedulerOptions {
  PlannerLimits limits;        // Of each worker.
  int32_t max_queue = 16'384;  // Jobs waiting; one more is refused. At least 1.
  // While what waits and runs is work for longer, by the throughput that is measured, jobs are refused. 0: no
  // limit.
  Duration max_wait{};
  int32_t completion_threads = 1;  // Run Job::Complete. At least 1.
  // Called first on each worker's thread: to pin it, or to set OpenMP's threads. Empty: nothing.
  std::function<void(int32_t worker)> on_worker_start;
  // The model's part of the process's cores, of which a worker takes one for each step. Null: the system
  // divides the cores.
  std::shared_ptr<CoreShares::Model> cores;
  // Called on a worker's thread when its core is another than that of the last step, which first is the
  // worker's number (CoreShares::kNoCore: it has none of its own). Empty: nothing.
  std::function<void(int32_t core)> on_core_change;
};

// Iteration-level batching: workers that each run a StepExecutor over the jobs of one common queue. Jobs join
// and leave at every step. Invariants:
// 1. Every job that Submit accepted is completed exactly once, also through shutdown and failing steps.
// 2. Submit never blocks on work. 3. A dropped job's blocks are free before the next step begins.
// 4. A worker with nothing to do sleeps.
// Thread-safe.
class Scheduler {
 public:
  // One worker thread per executor. observer and clock must outlive the scheduler.
  Scheduler(const SchedulerOptions& options, std::vector<std::unique_ptr<StepExecutor>> executors,
            SchedulerObserver& observer, const Clock& clock);
  ~Scheduler();  // Shuts down.

  // Takes the job, or refuses at once without completing it: RESOURCE_EXHAUSTED the queue is full, or, with
  // kLatePayload, what waits and runs leaves too little of its deadline, by the throughput that is measured;
  // INVALID_ARGUMENT the job's max_blocks are more than a worker's pool has; UNAVAILABLE draining;
  // DEADLINE_EXCEEDED its deadline has passed.
  absl::Status Submit(std::shared_ptr<Job> job);
  // All or none, in order: for the sentences of one text. Errors as Submit.
  absl::Status SubmitAll(std::vector<std::shared_ptr<Job>> jobs);
  // What Submit would say of so many jobs of usual size now: RESOURCE_EXHAUSTED or OK. Before work is spent
  // on making them.
  absl::Status CheckAdmission(int32_t jobs, TimePoint deadline) const;

  // Refuses new jobs from now on and waits until all others are completed; false if `timeout` came first.
  bool Drain(Duration timeout);

  // Stops: jobs that still wait or run are completed with UNAVAILABLE before it returns; Submit goes on
  // refusing. Drain first to let them finish. Idempotent; not from a completion.
  void Shutdown();

  int32_t max_queue() const;
  int32_t queue_depth() const;
  int32_t num_running() const;
  int32_t num_workers() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace attendant
