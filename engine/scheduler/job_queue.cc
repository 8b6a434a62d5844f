#include "engine/scheduler/job_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

WaitingJob ValuesOf(const Ticket& ticket) {
  const JobCost& cost = ticket.job->cost();
  return {.encode_tokens = cost.encode_tokens,
          .max_rows = cost.max_rows,
          .start_blocks = cost.start_blocks,
          .priority = ticket.job->priority(),
          .arrival = ticket.arrival,
          .deadline = ticket.job->deadline()};
}

double InSeconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

JobQueue::JobQueue(const Options& options, SchedulerObserver& observer, const Clock& clock)
    : options_(options),
      observer_(observer),
      clock_(clock),
      workers_(static_cast<size_t>(options.num_workers)) {}

absl::Status JobQueue::Add(absl::Span<const std::shared_ptr<Job>> jobs) {
  std::lock_guard lock(mutex_);
  const TimePoint now = clock_.Now();
  if (absl::Status status = CheckLocked(jobs, now); !status.ok()) return status;
  for (const std::shared_ptr<Job>& job : jobs) InsertLocked({.job = job, .arrival = now});
  num_open_ += static_cast<int64_t>(jobs.size());
  observer_.OnQueueDepth(static_cast<int32_t>(waiting_.size()));
  if (jobs.size() == 1) {
    work_changed_.notify_one();
  } else {
    work_changed_.notify_all();
  }
  return absl::OkStatus();
}

absl::Status JobQueue::CheckLocked(absl::Span<const std::shared_ptr<Job>> jobs, TimePoint now) const {
  if (closed_) return absl::UnavailableError("the scheduler is draining: send this to another replica");
  for (const std::shared_ptr<Job>& job : jobs) {
    if (job->deadline() <= now) {
      observer_.OnDrop(DropReason::kExpiredInQueue);
      return absl::DeadlineExceededError("the deadline had passed when the request was submitted");
    }
    if (job->cost().max_blocks > options_.pool_blocks) {
      return absl::InvalidArgumentError(  // No waiting helps.
          absl::StrCat("the request may need ", job->cost().max_blocks, " KV blocks and a worker has ",
                       options_.pool_blocks,
                       ": ask for fewer beams or a smaller max_length, or raise the KV cache budget"));
    }
  }
  if (jobs.size() > static_cast<size_t>(options_.max_waiting)) {  // No waiting helps.
    return absl::InvalidArgumentError(
        absl::StrCat(jobs.size(), " sentences go in together or not at all, and the queue's limit is ",
                     options_.max_waiting, ": send less at once"));
  }
  if (waiting_.size() + jobs.size() > static_cast<size_t>(options_.max_waiting)) {
    return absl::ResourceExhaustedError(absl::StrCat("the queue is full: ", waiting_.size(), " wait, ",
                                                     jobs.size(), " more were submitted, the limit is ",
                                                     options_.max_waiting, ": try again later"));
  }
  TimePoint deadline = kInfiniteFuture;
  int64_t units = 0;
  for (const std::shared_ptr<Job>& job : jobs) {
    deadline = std::min(deadline, job->deadline());
    units += UnitsOf(job->cost());
  }
  return CheckTimeLocked(units, deadline, now);
}

// units: of what asks to be let in.
absl::Status JobQueue::CheckTimeLocked(int64_t units, TimePoint deadline, TimePoint now) const {
  const int64_t running = NumRunningLocked();
  // Alone it has all there is: what is too long then is too long at any time, and not for us to say.
  if (running == 0 && waiting_.empty()) return absl::OkStatus();
  // What runs counts as well: it starts at once, but then shares the workers with all that do.
  int64_t ahead = waiting_units_;
  for (const Worker& worker : workers_) ahead += worker.running_units;
  const auto wait = estimator_.TimeOf(ahead, running);
  if (!wait.has_value()) return absl::OkStatus();
  if (options_.max_wait > Duration::zero() && *wait > options_.max_wait) {
    return absl::ResourceExhaustedError(absl::StrCat("the queue is full: what waits and runs is work for ",
                                                     InSeconds(*wait), " s, and the limit is ",
                                                     InSeconds(options_.max_wait), " s: try again later"));
  }
  if (deadline == kInfiniteFuture) return absl::OkStatus();
  const Duration until_done = *wait + estimator_.TimeOf(units, running).value_or(Duration::zero());
  const Duration left = deadline - now;
  if (until_done <= left) return absl::OkStatus();
  absl::Status late = absl::ResourceExhaustedError(absl::StrCat(
      "the deadline is in ", InSeconds(left), " s, and with what waits and runs the answer would take ",
      InSeconds(until_done), " s: try again later"));
  late.SetPayload(kLatePayload, absl::Cord("1"));
  return late;
}

absl::Status JobQueue::CheckAdmission(int32_t jobs, TimePoint deadline) const {
  std::lock_guard lock(mutex_);
  if (waiting_.size() >= static_cast<size_t>(options_.max_waiting)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the queue is full: ", waiting_.size(), " wait: try again later"));
  }
  return CheckTimeLocked(static_cast<int64_t>(estimator_.units_per_job() * jobs), deadline, clock_.Now());
}

int64_t JobQueue::NumRunningLocked() const {
  int64_t total = 0;
  for (const Worker& worker : workers_) total += worker.num_running;
  return total;
}

void JobQueue::InsertLocked(Ticket ticket) {
  waiting_units_ += UnitsOf(ticket.job->cost());
  const auto place = std::upper_bound(waiting_.begin(), waiting_.end(), ticket.arrival,
                                      [](TimePoint t, const Ticket& other) { return t < other.arrival; });
  values_.insert(values_.begin() + (place - waiting_.begin()), ValuesOf(ticket));
  waiting_.insert(place, std::move(ticket));
}

int32_t JobQueue::FairShareLocked(int32_t worker) const {
  bool others_are_full = true;
  int64_t total = static_cast<int64_t>(waiting_.size());
  for (size_t i = 0; i < workers_.size(); ++i) {
    total += workers_[i].num_running;
    if (i != static_cast<size_t>(worker) && !workers_[i].is_full) others_are_full = false;
  }
  if (others_are_full) return 0;
  const auto count = static_cast<int64_t>(workers_.size());
  return static_cast<int32_t>((total + count - 1) / count);
}

void JobQueue::Take(const PlannerLimits& limits, const WorkerState& state, TimePoint now, Taken& taken) {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < waiting_.size(); ++i) values_[i].cancelled = waiting_[i].job->cancelled();
  const int32_t fair_share = FairShareLocked(state.worker);
  taken.plan = MakePlan(limits, {.waiting = values_,
                                 .running = state.running,
                                 .free_blocks = state.free_blocks,
                                 .num_blocks = state.num_blocks,
                                 .fair_share = fair_share,
                                 .now = now});
  RemoveTakenLocked(taken);
  for (const Ticket& ticket : taken.admitted) {
    workers_[static_cast<size_t>(state.worker)].running_units += UnitsOf(ticket.job->cost());
  }
  NoteWorkerLocked(state, taken.plan, fair_share, now);
}

void JobQueue::RemoveTakenLocked(Taken& taken) {
  taken.dropped.clear();
  taken.admitted.clear();
  const auto take = [this](int32_t index) {
    Ticket& ticket = waiting_[static_cast<size_t>(index)];
    waiting_units_ -= UnitsOf(ticket.job->cost());
    return std::move(ticket);
  };
  for (const int32_t index : taken.plan.drop_waiting) taken.dropped.push_back(take(index));
  for (const int32_t index : taken.plan.admit) taken.admitted.push_back(take(index));
  if (taken.dropped.empty() && taken.admitted.empty()) return;
  size_t kept = 0;
  for (size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].job == nullptr) continue;
    if (kept != i) {
      waiting_[kept] = std::move(waiting_[i]);
      values_[kept] = values_[i];
    }
    ++kept;
  }
  waiting_.resize(kept);
  values_.resize(kept);
  observer_.OnQueueDepth(static_cast<int32_t>(kept));
}

void JobQueue::NoteWorkerLocked(const WorkerState& state, const Plan& plan, int32_t fair_share,
                                TimePoint now) {
  Worker& worker = workers_[static_cast<size_t>(state.worker)];
  worker.num_running = static_cast<int32_t>(state.running.size() - plan.drop_running.size() -
                                            plan.preempt.size() + plan.admit.size());
  const bool was_due = fair_share == 0 || worker.num_running < fair_share;
  worker.is_full = !waiting_.empty() && plan.admit.empty() && was_due;
  estimator_.Note(now, NumRunningLocked(), /*finished_jobs=*/0, /*finished_units=*/0);
}

void JobQueue::PutBack(std::vector<Ticket>& preempted) {
  std::lock_guard lock(mutex_);
  for (Ticket& ticket : preempted) InsertLocked(std::move(ticket));
  preempted.clear();
  observer_.OnQueueDepth(static_cast<int32_t>(waiting_.size()));
  work_changed_.notify_all();
}

void JobQueue::SetLoad(int32_t worker, const WorkerLoad& load) {
  std::lock_guard lock(mutex_);
  Worker& state = workers_[static_cast<size_t>(worker)];
  state.num_running = load.num_running;
  state.running_units = load.running_units;
  if (load.num_running == 0) state.is_full = false;
  estimator_.Note(clock_.Now(), NumRunningLocked(), load.finished_jobs, load.finished_units);
}

void JobQueue::NoteCompleted() {
  std::lock_guard lock(mutex_);
  if (--num_open_ == 0) none_open_.notify_all();
}

bool JobQueue::WaitForWork() {
  std::unique_lock lock(mutex_);
  work_changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
  return !stopped_;
}

void JobQueue::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

bool JobQueue::WaitUntilNoneOpen(Duration timeout) {
  constexpr Duration kLongest = std::chrono::hours(24 * 365);  // Beyond, "now + timeout" could overflow.
  std::unique_lock lock(mutex_);
  return none_open_.wait_for(lock, std::min(timeout, kLongest), [this] { return num_open_ == 0; });
}

std::vector<Ticket> JobQueue::Stop() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  stopped_ = true;
  values_.clear();
  waiting_units_ = 0;
  work_changed_.notify_all();
  return std::exchange(waiting_, {});
}

bool JobQueue::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}
int32_t JobQueue::num_waiting() const {
  std::lock_guard lock(mutex_);
  return static_cast<int32_t>(waiting_.size());
}
int32_t JobQueue::num_running() const {
  std::lock_guard lock(mutex_);
  return static_cast<int32_t>(NumRunningLocked());
}
int64_t JobQueue::num_open() const {
  std::lock_guard lock(mutex_);
  return num_open_;
}

}  // namespace attendant
