#include "engine/scheduler/batch_loop.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

void EraseTaken(std::vector<Ticket>& tickets) {
  tickets.erase(std::remove_if(tickets.begin(), tickets.end(),
                               [](const Ticket& ticket) { return ticket.job == nullptr; }),
                tickets.end());
}

}  // namespace

BatchLoop::BatchLoop(int32_t worker, std::unique_ptr<StepExecutor> executor, const Shared& shared)
    : worker_(worker), executor_(std::move(executor)), shared_(shared), last_core_(worker) {}

bool BatchLoop::RunOnce() {
  if (IsIdle()) {
    ReturnCore();
    return false;
  }
  SchedulerObserver::StepStats stats;
  stats.worker = worker_;
  TakeCore(stats);  // Before it plans: who comes while it waits comes along.
  SnapshotRunning();
  shared_.queue.Take(shared_.limits,
                     {.worker = worker_,
                      .running = values_,
                      .free_blocks = executor_->free_blocks(),
                      .num_blocks = executor_->num_blocks()},
                     shared_.clock.Now(), taken_);
  LetGo(taken_.plan);

  StartAdmitted(stats);
  StepRunning(stats);
  CollectFinished();
  if (holds_core_) {
    stats.core_time = shared_.clock.Now() - core_.since + executor_->TakeLentTime();
    if (IsIdle()) ReturnCore();
  }
  TellLoad();  // Before anyone hears of a completion.
  stats.running = num_running();
  stats.free_blocks = executor_->free_blocks();
  stats.num_blocks = executor_->num_blocks();
  shared_.observer.OnStep(stats);
  PostDone();
  return true;
}

bool BatchLoop::IsIdle() const {
  return running_.empty() && shared_.queue.num_waiting() == 0;
}

void BatchLoop::TakeCore(SchedulerObserver::StepStats& stats) {
  if (shared_.cores == nullptr) return;
  const TimePoint begin = shared_.clock.Now();
  core_ = holds_core_ ? shared_.cores->Renew(core_) : shared_.cores->Take(worker_);
  holds_core_ = true;
  stats.core_wait = std::max(core_.since - begin, Duration::zero());
  if (core_.core != last_core_ && shared_.on_core_change) shared_.on_core_change(core_.core);
  last_core_ = core_.core;
  executor_->UseCore(core_.core);
}

void BatchLoop::ReturnCore() {
  if (holds_core_) shared_.cores->Return(core_);
  holds_core_ = false;
}

void BatchLoop::SnapshotRunning() {
  values_.clear();
  for (const Ticket& ticket : running_) {
    const Job& job = *ticket.job;
    values_.push_back({.max_rows = job.cost().max_rows,
                       .blocks_for_next_step = job.blocks_for_next_step(),
                       .held_blocks = job.held_blocks(),
                       .priority = job.priority(),
                       .arrival = ticket.arrival,
                       .deadline = job.deadline(),
                       .cancelled = job.cancelled()});
  }
}

void BatchLoop::LetGo(const Plan& plan) {
  for (Ticket& ticket : taken_.dropped) Drop(std::move(ticket), /*was_running=*/false);
  for (const int32_t index : plan.drop_running) {
    Ticket& ticket = running_[static_cast<size_t>(index)];
    executor_->Release(*ticket.job);
    Drop(std::move(ticket), /*was_running=*/true);
  }
  for (const int32_t index : plan.preempt) {
    Ticket& ticket = running_[static_cast<size_t>(index)];
    executor_->Release(*ticket.job);
    shared_.observer.OnPreempt();
    preempted_.push_back(std::move(ticket));
  }
  if (!preempted_.empty()) shared_.queue.PutBack(preempted_);
  EraseTaken(running_);
}

void BatchLoop::Drop(Ticket ticket, bool was_running) {
  if (ticket.job->cancelled()) {
    shared_.observer.OnDrop(was_running ? DropReason::kCancelledRunning : DropReason::kCancelledInQueue);
    shared_.completions.Post(std::move(ticket), absl::CancelledError("the request was cancelled"));
    return;
  }
  shared_.observer.OnDrop(was_running ? DropReason::kExpiredRunning : DropReason::kExpiredInQueue);
  shared_.completions.Post(std::move(ticket),
                           absl::DeadlineExceededError(was_running ? "the deadline passed while the "
                                                                     "request ran"
                                                                   : "the deadline passed while the "
                                                                     "request waited"));
}

void BatchLoop::StartAdmitted(SchedulerObserver::StepStats& stats) {
  if (taken_.admitted.empty()) return;
  const TimePoint begin = shared_.clock.Now();
  jobs_.clear();
  for (Ticket& ticket : taken_.admitted) {
    jobs_.push_back(ticket.job.get());
    stats.encoded_tokens += ticket.job->cost().encode_tokens;
    if (!ticket.has_started) shared_.observer.OnQueueTime(begin - ticket.arrival);
    ticket.has_started = true;
  }
  stats.entered = static_cast<int32_t>(jobs_.size());
  const absl::Status status = Guarded("starting", [this] { executor_->Start(jobs_); });
  stats.encode_time = shared_.clock.Now() - begin;
  for (Ticket& ticket : taken_.admitted) {
    if (status.ok()) {
      running_.push_back(std::move(ticket));
    } else {
      Leave(std::move(ticket), status);
    }
  }
}

void BatchLoop::StepRunning(SchedulerObserver::StepStats& stats) {
  jobs_.clear();
  for (const Ticket& ticket : running_) {
    if (ticket.job->finished()) continue;  // Its start alone was the whole of it.
    jobs_.push_back(ticket.job.get());
    stats.rows += ticket.job->num_rows();
  }
  if (jobs_.empty()) return;
  const TimePoint begin = shared_.clock.Now();
  const absl::Status status = Guarded("decoding", [this] { executor_->Step(jobs_); });
  stats.step_time = shared_.clock.Now() - begin;
  if (status.ok()) return;
  for (Ticket& ticket : running_) {
    const bool was_passed = std::find(jobs_.begin(), jobs_.end(), ticket.job.get()) != jobs_.end();
    if (was_passed) Leave(std::move(ticket), status);
  }
  EraseTaken(running_);
}

void BatchLoop::CollectFinished() {
  for (Ticket& ticket : running_) {
    if (ticket.job->finished()) Leave(std::move(ticket), absl::OkStatus());
  }
  EraseTaken(running_);
}

void BatchLoop::Leave(Ticket ticket, absl::Status status) {
  executor_->Release(*ticket.job);
  done_.push_back({std::move(ticket), std::move(status)});
}

void BatchLoop::TellLoad() {
  JobQueue::WorkerLoad load{.num_running = num_running()};
  for (const Ticket& ticket : running_) load.running_units += UnitsOf(ticket.job->cost());
  for (const Done& done : done_) {
    if (!done.status.ok()) continue;
    ++load.finished_jobs;
    load.finished_units += UnitsOf(done.ticket.job->cost());
  }
  shared_.queue.SetLoad(worker_, load);
}

void BatchLoop::PostDone() {
  for (Done& done : done_) shared_.completions.Post(std::move(done.ticket), std::move(done.status));
  done_.clear();
}

absl::Status BatchLoop::Guarded(const char* what, absl::FunctionRef<void()> call) {
  try {
    call();
    return absl::OkStatus();
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat(what, " the batch failed: ", e.what()));
  } catch (...) {
    return absl::InternalError(absl::StrCat(what, " the batch failed: unknown exception"));
  }
}

void BatchLoop::CompleteAll(const absl::Status& status) {
  ReturnCore();
  for (Ticket& ticket : running_) Leave(std::move(ticket), status);
  running_.clear();
  TellLoad();
  PostDone();
}

}  // namespace attendant
