#include "engine/scheduler/completions.h"

#include <utility>

namespace attendant {

Completions::Completions(JobQueue& queue, int num_threads)
    : queue_(queue), threads_("complete", num_threads) {}

void Completions::Post(Ticket ticket, absl::Status status) {
  threads_.Post([this, job = std::move(ticket.job), status = std::move(status)]() mutable {
    job->Complete(std::move(status));
    job = nullptr;  // Whoever waits for the drain may count on the job being gone, too.
    queue_.NoteCompleted();
  });
}

}  // namespace attendant
