#pragma once

#include "absl/status/status.h"
#include "engine/base/thread_pool.h"
#include "engine/scheduler/job_queue.h"

namespace attendant {

// Completes jobs on threads of its own, and tells the queue. Every ticket that is given is completed, also
// those still queued at destruction. Thread-safe.
class Completions {
 public:
  Completions(JobQueue& queue, int num_threads);
  // The executor has released the job.
  void Post(Ticket ticket, absl::Status status);

 private:
  JobQueue& queue_;
  ThreadPool threads_;
};

}  // namespace attendant
