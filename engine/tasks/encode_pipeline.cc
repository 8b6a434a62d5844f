#include "engine/tasks/encode_pipeline.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/tasks/worker_threads.h"

namespace attendant {
namespace {

constexpr int64_t kMaxPreparingInputBytes = int64_t{256} << 20;

SchedulerOptions WithoutBlocks(SchedulerOptions options) {
  options.limits.spare_blocks_per_job = 0;
  return options;
}

}  // namespace

// One input on its way.
struct EncodePipeline::Ticket {
  Input input;
  TimePoint begin;
  TimePoint submitted;
  std::mutex mutex;
  bool is_cancelled = false;     // Guarded by mutex, as is ...
  std::weak_ptr<EncodeJob> job;  // ... the job, once there is one.
};

EncodePipeline::EncodePipeline(const EncodePipelineOptions& options, MakeExecutor make_executor,
                               SchedulerObserver& observer, const Clock& clock)
    : options_(options),
      observer_(observer),
      clock_(clock),
      open_({options.scheduler.max_queue, kMaxPreparingInputBytes}),
      threads_(std::make_unique<ThreadPool>("prepare", options.prepare_threads)),
      lender_(std::make_unique<CoreLender>(NumWorkers(options.num_workers),
                                           Pinning(NumWorkers(options.num_workers)),
                                           options.scheduler.cores)),
      own_scheduler_(MakeScheduler(make_executor)),
      scheduler_(*own_scheduler_) {}

EncodePipeline::EncodePipeline(const EncodePipelineOptions& options, Scheduler& scheduler,
                               SchedulerObserver& observer, const Clock& clock)
    : options_(options),
      observer_(observer),
      clock_(clock),
      open_({options.scheduler.max_queue, kMaxPreparingInputBytes}),
      threads_(std::make_unique<ThreadPool>("prepare", options.prepare_threads)),
      scheduler_(scheduler) {}

std::unique_ptr<Scheduler> EncodePipeline::MakeScheduler(MakeExecutor make_executor) {
  const int32_t num_workers = NumWorkers(options_.num_workers);
  std::vector<std::unique_ptr<StepExecutor>> executors;
  for (int32_t worker = 0; worker < num_workers; ++worker) {
    executors.push_back(make_executor({clock_, *lender_, worker}));
  }
  return std::make_unique<Scheduler>(WithPinning(WithoutBlocks(options_.scheduler), num_workers),
                                     std::move(executors), observer_, clock_);
}

EncodePipeline::~EncodePipeline() {
  open_.Close();
  scheduler_.Shutdown();
  threads_ = nullptr;  // Answers what is left: the scheduler refuses it now.
}

CancelHandle EncodePipeline::Run(Input input) {
  absl::Status admitted =
      input.bytes > options_.max_input_bytes
          ? absl::InvalidArgumentError(
                absl::StrCat(input.bytes, " bytes; at most ", options_.max_input_bytes, " are allowed"))
          : open_.Enter(input.bytes);
  if (!admitted.ok()) {
    std::move(input.done)(std::move(admitted), {});
    return {};
  }
  const auto ticket = std::make_shared<Ticket>();
  ticket->input = std::move(input);
  ticket->begin = clock_.Now();
  threads_->Post([this, ticket] { Prepare(ticket); });
  return CancelHandle([weak = std::weak_ptr<Ticket>(ticket)] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    const std::lock_guard lock(alive->mutex);
    alive->is_cancelled = true;
    if (const auto job = alive->job.lock()) job->Cancel();
  });
}

bool EncodePipeline::IsCancelled(Ticket& ticket) {
  const std::lock_guard lock(ticket.mutex);
  return ticket.is_cancelled;
}

absl::Status EncodePipeline::CancelledInQueue() {
  observer_.OnDrop(DropReason::kCancelledInQueue);
  return absl::CancelledError("the request was cancelled");
}

void EncodePipeline::Prepare(const std::shared_ptr<Ticket>& ticket) {
  const int64_t bytes = ticket->input.bytes;
  absl::StatusOr<std::shared_ptr<EncodeJob>> job;
  try {
    job = MakeJob(ticket);
  } catch (const std::exception& e) {  // std::bad_alloc
    job = absl::InternalError(absl::StrCat("preparing the input failed: ", e.what()));
  }
  open_.NotePrepared(bytes);  // Before it is submitted: whoever has an answer finds its place free.
  absl::Status status = job.ok() ? Submit(*ticket, *std::move(job)) : job.status();
  if (!status.ok()) Answer(*ticket, std::move(status), {});
}

absl::StatusOr<std::shared_ptr<EncodeJob>> EncodePipeline::MakeJob(const std::shared_ptr<Ticket>& ticket) {
  if (ticket->input.deadline <= clock_.Now()) {
    observer_.OnDrop(DropReason::kExpiredInQueue);
    return absl::DeadlineExceededError("the deadline passed before the input was prepared");
  }
  if (IsCancelled(*ticket)) return CancelledInQueue();
  return std::move(ticket->input.prepare)([this, ticket](absl::Status status, const EncodeTimes& times) {
    Answer(*ticket, std::move(status), times);
  });
}

absl::Status EncodePipeline::Submit(Ticket& ticket, std::shared_ptr<EncodeJob> job) {
  ticket.submitted = clock_.Now();
  {
    const std::lock_guard lock(ticket.mutex);
    if (ticket.is_cancelled) return CancelledInQueue();
    ticket.job = job;
  }
  return scheduler_.Submit(std::move(job));
}

void EncodePipeline::Answer(Ticket& ticket, absl::Status status, const EncodeTimes& times) {
  EncodeTiming timing;
  timing.total = clock_.Now() - ticket.begin;
  if (status.ok()) {
    timing.prepare = ticket.submitted - ticket.begin;
    timing.queue = times.started - ticket.submitted;
    timing.encode = times.encoded - times.started;
  }
  auto done = std::move(ticket.input.done);
  std::move(done)(std::move(status), timing);
  done = nullptr;  // What it holds is free when the drain says so.
  open_.NoteAnswered();
}

bool EncodePipeline::Drain(Duration timeout) {
  open_.Close();
  return open_.WaitUntilNone(timeout);
}

}  // namespace attendant
