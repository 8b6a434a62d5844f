#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "engine/base/clock.h"
#include "engine/base/thread_pool.h"
#include "engine/scheduler/scheduler.h"
#include "engine/tasks/cancel_handle.h"
#include "engine/tasks/encode_job.h"
#include "engine/tasks/open_texts.h"
#include "engine/tensor/thread_team.h"

namespace attendant {

struct EncodePipelineOptions {
  int32_t num_workers = 0;  // 0: the CPU budget of the container or machine.
  SchedulerOptions scheduler;
  int64_t max_input_bytes = 1 << 20;  // Of one text or image file; a longer one is INVALID_ARGUMENT.
  int32_t prepare_threads = 1;
};

struct EncodeTiming {
  Duration prepare{};  // Tokenising, or decoding and resizing.
  Duration queue{};
  Duration encode{};
  Duration total{};
};

// The way of inputs through a model that answers in one pass: admitted, prepared on threads of its own,
// batched by the scheduler, answered. Thread-safe.
class EncodePipeline {
 public:
  struct Input {
    int64_t bytes = 0;
    int priority = 0;
    TimePoint deadline = kInfiniteFuture;
    // Makes the job, which ends with the Done that it is given. On a preparing thread.
    absl::AnyInvocable<absl::StatusOr<std::shared_ptr<EncodeJob>>(EncodeJob::Done)> prepare;
    // Called exactly once: on another thread, or from within Run when the input is refused at the door.
    absl::AnyInvocable<void(absl::Status, EncodeTiming)> done;
  };

  // Makes one worker's executor.
  using MakeExecutor = absl::FunctionRef<std::unique_ptr<EncodeExecutor>(const EncodeExecutor::Place&)>;
  // observer and clock outlive the pipeline.
  EncodePipeline(const EncodePipelineOptions& options, MakeExecutor make_executor,
                 SchedulerObserver& observer, const Clock& clock);
  // Over a scheduler that takes other jobs as well; its executors know what `prepare` makes. It outlives the
  // pipeline, with which it shuts down at the latest. Of options.scheduler, max_queue alone counts.
  EncodePipeline(const EncodePipelineOptions& options, Scheduler& scheduler, SchedulerObserver& observer,
                 const Clock& clock);
  // Answers what is open with UNAVAILABLE. Not from a callback.
  ~EncodePipeline();

  // Returns at once. Errors that done is told: what prepare says; INVALID_ARGUMENT too long;
  // RESOURCE_EXHAUSTED full; DEADLINE_EXCEEDED; CANCELLED; UNAVAILABLE draining; INTERNAL.
  CancelHandle Run(Input input);
  bool Drain(Duration timeout);
  const Scheduler& scheduler() const { return scheduler_; }

 private:
  struct Ticket;
  std::unique_ptr<Scheduler> MakeScheduler(MakeExecutor make_executor);
  static bool IsCancelled(Ticket& ticket);
  absl::Status CancelledInQueue();
  void Prepare(const std::shared_ptr<Ticket>& ticket);
  absl::StatusOr<std::shared_ptr<EncodeJob>> MakeJob(const std::shared_ptr<Ticket>& ticket);
  absl::Status Submit(Ticket& ticket, std::shared_ptr<EncodeJob> job);
  void Answer(Ticket& ticket, absl::Status status, const EncodeTimes& times);

  const EncodePipelineOptions options_;
  SchedulerObserver& observer_;
  const Clock& clock_;
  OpenTexts open_;
  std::unique_ptr<ThreadPool> threads_;
  const std::unique_ptr<CoreLender> lender_;        // Null where the scheduler is another's, ...
  const std::unique_ptr<Scheduler> own_scheduler_;  // ... as is this.
  Scheduler& scheduler_;
};

}  // namespace attendant
