#include "engine/tasks/encode_job.h"

#include <algorithm>

namespace attendant {
namespace {

// Fewer a thread are not worth waking it for.
constexpr int64_t kMinTokensPerThread = 4;

}  // namespace

void EncodeExecutor::Start(absl::Span<Job* const> jobs) {
  int64_t tokens = 0;
  for (const Job* job : jobs) tokens += job->cost().encode_tokens;
  const auto threads = static_cast<size_t>(std::max<int64_t>(1, tokens / kMinTokensPerThread));
  workspace_.Reset();
  CoreLender::Lease lease = place_.lender.Take(core_, threads, workspace_);
  const TimePoint begin = place_.clock.Now();
  jobs_.clear();
  for (Job* job : jobs) {
    jobs_.push_back(static_cast<EncodeJob*>(job));
    jobs_.back()->NoteStart(begin);
  }
  Encode(jobs_, lease.team());
  lent_time_ += lease.End();
  const TimePoint end = place_.clock.Now();
  for (EncodeJob* job : jobs_) job->NoteEncoded(end);
}

}  // namespace attendant
