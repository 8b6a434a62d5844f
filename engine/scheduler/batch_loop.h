#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/base/clock.h"
#include "engine/base/core_shares.h"
#include "engine/scheduler/batch_planner.h"
#include "engine/scheduler/completions.h"
#include "engine/scheduler/job.h"
#include "engine/scheduler/job_queue.h"
#include "engine/scheduler/scheduler.h"

namespace attendant {

// The body of one worker: the jobs that run here, and what one iteration does with them. It owns no thread:
// a worker thread calls RunOnce over and over, and a test calls it by hand.
// Invariant: every ticket taken from the queue is completed once or put back once.
// Not thread-safe: one thread drives it.
class BatchLoop {
 public:
  // What the workers of a scheduler share; all must outlive the loop.
  struct Shared {
    const PlannerLimits& limits;
    JobQueue& queue;
    Completions& completions;
    SchedulerObserver& observer;
    const Clock& clock;
    CoreShares::Model* cores = nullptr;  // As SchedulerOptions', as is ...
    std::function<void(int32_t core)> on_core_change = {};
  };
  BatchLoop(int32_t worker, std::unique_ptr<StepExecutor> executor, const Shared& shared);

  // One iteration: plan, let go of who leaves, start who enters, step all, complete who is finished. False if
  // there was nothing to do.
  bool RunOnce();
  // Lets go of all that run here, with this status.
  void CompleteAll(const absl::Status& status);

  int32_t num_running() const { return static_cast<int32_t>(running_.size()); }
  // Between two iterations it keeps a core of the process's shares where it has more to do: RunOnce comes
  // soon.
  bool holds_core() const { return holds_core_; }

 private:
  // A core for one step, from the process's shares.
  void TakeCore(SchedulerObserver::StepStats& stats);
  void ReturnCore();
  bool IsIdle() const;
  void SnapshotRunning();
  void LetGo(const Plan& plan);
  void Drop(Ticket ticket, bool was_running);
  void StartAdmitted(SchedulerObserver::StepStats& stats);
  void StepRunning(SchedulerObserver::StepStats& stats);
  void CollectFinished();
  // Gives back what a running or starting job holds; PostDone tells it, after the books are right.
  void Leave(Ticket ticket, absl::Status status);
  void TellLoad();
  void PostDone();
  // Runs call: INTERNAL with the reason if it threw.
  static absl::Status Guarded(const char* what, absl::FunctionRef<void()> call);

  const int32_t worker_;
  const std::unique_ptr<StepExecutor> executor_;
  const Shared shared_;
  bool holds_core_ = false;
  CoreShares::Model::Held core_;
  int32_t last_core_;
  std::vector<Ticket> running_;
  struct Done {
    Ticket ticket;
    absl::Status status;
  };
  // Reused from step to step.
  std::vector<Done> done_;
  std::vector<RunningJob> values_;
  JobQueue::Taken taken_;
  std::vector<Ticket> preempted_;
  std::vector<Job*> jobs_;
};

}  // namespace attendant
