#include "engine/scheduler/scheduler.h"

#include <pthread.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/scheduler/batch_loop.h"
#include "engine/scheduler/completions.h"
#include "engine/scheduler/job_queue.h"

namespace attendant {
namespace {

int32_t SmallestPool(const std::vector<std::unique_ptr<StepExecutor>>& executors) {
  int32_t smallest = std::numeric_limits<int32_t>::max();
  for (const auto& executor : executors) smallest = std::min(smallest, executor->num_blocks());
  return smallest;
}

}  // namespace

class Scheduler::Impl {
 public:
  Impl(const SchedulerOptions& options, std::vector<std::unique_ptr<StepExecutor>> executors,
       SchedulerObserver& observer, const Clock& clock)
      : options_(options),
        queue_({.max_waiting = std::max(options.max_queue, 1),
                .num_workers = static_cast<int32_t>(executors.size()),
                .pool_blocks = SmallestPool(executors),
                .max_wait = options.max_wait},
               observer, clock),
        completions_(std::make_unique<Completions>(queue_, std::max(options.completion_threads, 1))) {
    const BatchLoop::Shared shared{
        options_.limits,        queue_, *completions_, observer, clock, options_.cores.get(),
        options_.on_core_change};
    for (auto& executor : executors) {
      const auto worker = static_cast<int32_t>(loops_.size());
      loops_.push_back(std::make_unique<BatchLoop>(worker, std::move(executor), shared));
    }
    for (size_t i = 0; i < loops_.size(); ++i)
      threads_.emplace_back([this, i] { Run(static_cast<int32_t>(i)); });
  }

  ~Impl() { Shutdown(); }

  void Shutdown() {
    std::lock_guard lock(shutdown_mutex_);
    for (Ticket& ticket : queue_.Stop()) completions_->Post(std::move(ticket), StoppedError());
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    // A worker may have put a preempted job back after Stop.
    for (Ticket& ticket : queue_.Stop()) completions_->Post(std::move(ticket), StoppedError());
    completions_ = nullptr;  // Completes what it still has.
  }

  JobQueue& queue() { return queue_; }
  const SchedulerOptions& options() const { return options_; }

 private:
  static absl::Status StoppedError() { return absl::UnavailableError("the server is shutting down"); }

  void Run(int32_t worker) {
    pthread_setname_np(pthread_self(), absl::StrCat("batch-", worker).c_str());
    if (options_.on_worker_start) options_.on_worker_start(worker);
    BatchLoop& loop = *loops_[static_cast<size_t>(worker)];
    while (!queue_.stopped()) {
      if (loop.num_running() == 0 && !loop.holds_core() && !queue_.WaitForWork()) break;
      loop.RunOnce();
    }
    loop.CompleteAll(StoppedError());
  }

  const SchedulerOptions options_;
  JobQueue queue_;
  std::unique_ptr<Completions> completions_;  // Until shutdown.
  std::vector<std::unique_ptr<BatchLoop>> loops_;
  std::mutex shutdown_mutex_;
  std::vector<std::thread> threads_;
};

Scheduler::Scheduler(const SchedulerOptions& options, std::vector<std::unique_ptr<StepExecutor>> executors,
                     SchedulerObserver& observer, const Clock& clock)
    : impl_(std::make_unique<Impl>(options, std::move(executors), observer, clock)) {}
Scheduler::~Scheduler() = default;

absl::Status Scheduler::Submit(std::shared_ptr<Job> job) {
  return impl_->queue().Add({std::move(job)});
}
absl::Status Scheduler::SubmitAll(std::vector<std::shared_ptr<Job>> jobs) {
  return impl_->queue().Add(jobs);
}

absl::Status Scheduler::CheckAdmission(int32_t jobs, TimePoint deadline) const {
  return impl_->queue().CheckAdmission(jobs, deadline);
}

bool Scheduler::Drain(Duration timeout) {
  impl_->queue().Close();
  return impl_->queue().WaitUntilNoneOpen(timeout);
}

void Scheduler::Shutdown() {
  impl_->Shutdown();
}

int32_t Scheduler::max_queue() const {
  return impl_->options().max_queue;
}
int32_t Scheduler::queue_depth() const {
  return impl_->queue().num_waiting();
}
int32_t Scheduler::num_running() const {
  return impl_->queue().num_running();
}
int32_t Scheduler::num_workers() const {
  return impl_->queue().num_workers();
}

}  // namespace attendant
