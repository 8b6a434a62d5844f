#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/base/clock.h"

namespace attendant {

// What a job will cost, known when it is submitted.
struct JobCost {
  int32_t encode_tokens = 0;  // Work of its start, counted against the step's encode budget.
  int32_t max_rows = 1;       // Rows that it may have in a step.
  int32_t start_blocks = 0;   // KV blocks that it takes to start and make its first step.
  int32_t max_blocks = 0;  // KV blocks that it may ever hold; more than a pool has is refused at submission.
};

// What a job weighs in measuring throughput, near enough: its output grows with its input, and each row is a
// search of its own. At least 1.
inline int64_t UnitsOf(const JobCost& cost) {
  return std::max<int64_t>(1, int64_t{cost.encode_tokens} * std::max(cost.max_rows, 1));
}

// One unit of scheduling: a sequence from encoding to its last token. The scheduler sees nothing else of it.
// Life: submitted -> waiting -> running -> completed, with running -> waiting where KV blocks run out (the
// job then starts again from the beginning, which by batch invariance gives the same answer). Thread-safety:
// Cancel() and the accessors of const members from anywhere; the rest by the worker that runs the job.
class Job {
 public:
  Job(const JobCost& cost, int priority, TimePoint deadline)
      : cost_(cost), priority_(priority), deadline_(deadline) {}
  virtual ~Job() = default;

  const JobCost& cost() const { return cost_; }
  int priority() const { return priority_; }  // Higher goes first; 0 is usual.
  TimePoint deadline() const { return deadline_; }
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  // Asked between steps, of running jobs only.
  virtual bool finished() const = 0;
  virtual int32_t num_rows() const = 0;              // Of the next step.
  virtual int32_t blocks_for_next_step() const = 0;  // Taken from the pool by it, at most.
  virtual int32_t held_blocks() const = 0;           // Given back to the pool by Release.

  // Called exactly once, on a completion thread, after the executor has released the job: OK if it ran to its
  // end; CANCELLED; DEADLINE_EXCEEDED; UNAVAILABLE at shutdown; INTERNAL when its step failed.
  virtual void Complete(absl::Status status) = 0;

 private:
  const JobCost cost_;
  const int priority_;
  const TimePoint deadline_;
  std::atomic<bool> cancelled_{false};
};

// Runs jobs for one worker, which alone calls it, on one thread. Owns what running jobs hold (KV blocks,
// workspace). A call that throws loses exactly the jobs that were passed to it; they are released and
// completed with INTERNAL.
class StepExecutor {
 public:
  virtual ~StepExecutor() = default;
  virtual int32_t num_blocks() const = 0;
  virtual int32_t free_blocks() const = 0;
  // Encodes the sources of jobs that enter, also of such that start again.
  virtual void Start(absl::Span<Job* const> jobs) = 0;
  // One decode step of all.
  virtual void Step(absl::Span<Job* const> jobs) = 0;
  // Never throws. Gives back all that job holds here, also after a call with it threw; it may be started
  // again later, on any worker, from the beginning.
  virtual void Release(Job& job) = 0;

  // Where a process's cores are shared out: the core of what follows, CoreShares::kNoCore for none of its
  // own.
  virtual void UseCore(int32_t) {}
  // How long it had other cores besides, summed, since the last call.
  virtual Duration TakeLentTime() { return {}; }
};

}  // namespace attendant
