#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/scheduler/batch_planner.h"
#include "engine/scheduler/job.h"
#include "engine/scheduler/scheduler.h"
#include "engine/scheduler/wait_estimator.h"

namespace attendant {

// An accepted job on its way.
struct Ticket {
  std::shared_ptr<Job> job;
  TimePoint arrival;
  bool has_started = false;  // At least once; stays through a preemption.
};

// What all workers of a scheduler share: the jobs that wait, how many run where, and whether more may come.
// Invariants:
// 1. A ticket is in the queue or in one worker's hands, never in both.
// 2. num_open() counts every accepted job until NoteCompleted, wherever its ticket is.
// Not for completing jobs: callers do that with the tickets they are handed. Thread-safe.
class JobQueue {
 public:
  struct Options {
    int32_t max_waiting = 1;
    int32_t num_workers = 1;
    int32_t pool_blocks = 0;  // Of the smallest pool: a job that may need more is refused.
    Duration max_wait{};      // Refused while there is work for longer than that. 0: no limit.
  };
  JobQueue(const Options& options, SchedulerObserver& observer, const Clock& clock);

  // All or none; errors as Scheduler::Submit.
  absl::Status Add(absl::Span<const std::shared_ptr<Job>> jobs);
  // As Scheduler::CheckAdmission.
  absl::Status CheckAdmission(int32_t jobs, TimePoint deadline) const;

  // What one worker brings to a plan, and takes away.
  struct WorkerState {
    int32_t worker = 0;
    absl::Span<const RunningJob> running;
    int32_t free_blocks = 0;
    int32_t num_blocks = 0;
  };
  struct Taken {
    Plan plan;
    std::vector<Ticket> dropped;   // Parallel to plan.drop_waiting.
    std::vector<Ticket> admitted;  // Parallel to plan.admit.
  };
  // Plans the worker's next step at time now and hands it the tickets that leave the queue.
  void Take(const PlannerLimits& limits, const WorkerState& state, TimePoint now, Taken& taken);
  // Preempted ones wait again, at the place their arrival gives them, also beyond max_waiting.
  void PutBack(std::vector<Ticket>& preempted);
  // What one worker's iteration came to. Units: UnitsOf.
  struct WorkerLoad {
    int32_t num_running = 0;
    int64_t running_units = 0;
    int32_t finished_jobs = 0;
    int64_t finished_units = 0;
  };
  void SetLoad(int32_t worker, const WorkerLoad& load);
  void NoteCompleted();

  // Sleeps until a job waits (true) or Stop was called (false).
  bool WaitForWork();
  // Refuses new jobs from now on.
  void Close();
  // Sleeps until no accepted job is open (true) or `timeout` came first (false).
  bool WaitUntilNoneOpen(Duration timeout);
  // Close, let sleepers in WaitForWork go, and hand out all that wait.
  std::vector<Ticket> Stop();

  bool stopped() const;
  int32_t num_waiting() const;
  int32_t num_running() const;
  int64_t num_open() const;
  int32_t num_workers() const { return static_cast<int32_t>(workers_.size()); }

 private:
  struct Worker {
    int32_t num_running = 0;
    int64_t running_units = 0;
    bool is_full = false;  // Its last plan had no room for a job that it was due.
  };

  absl::Status CheckLocked(absl::Span<const std::shared_ptr<Job>> jobs, TimePoint now) const;
  absl::Status CheckTimeLocked(int64_t units, TimePoint deadline, TimePoint now) const;
  int64_t NumRunningLocked() const;
  void InsertLocked(Ticket ticket);
  int32_t FairShareLocked(int32_t worker) const;
  void RemoveTakenLocked(Taken& taken);
  void NoteWorkerLocked(const WorkerState& state, const Plan& plan, int32_t fair_share, TimePoint now);

  const Options options_;
  SchedulerObserver& observer_;
  const Clock& clock_;

  mutable std::mutex mutex_;  // Guards all below.
  std::condition_variable work_changed_;
  std::condition_variable none_open_;
  std::vector<Ticket> waiting_;     // In order of arrival.
  std::vector<WaitingJob> values_;  // The planner's view, parallel to waiting_.
  std::vector<Worker> workers_;
  int64_t waiting_units_ = 0;
  WaitEstimator estimator_;
  int64_t num_open_ = 0;
  bool closed_ = false;
  bool stopped_ = false;
};

}  // namespace attendant
