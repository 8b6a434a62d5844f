#include "server/kserve/submissions.h"

#include <utility>

namespace attendant::kserve {

void Submissions::Submit(absl::FunctionRef<CancelHandle()> start) {
  {
    const std::lock_guard lock(mutex_);
    if (is_cancelled_) return;
    ++pending_;
  }
  CancelHandle handle = start();
  bool is_too_late = false;
  {
    const std::lock_guard lock(mutex_);
    is_too_late = is_cancelled_;
    handles_.push_back(handle);
  }
  if (is_too_late) handle.Cancel();
}

void Submissions::Finish(const absl::Status& status) {
  bool is_first_error = false;
  {
    const std::lock_guard lock(mutex_);
    is_first_error = status_.ok() && !status.ok();
    if (is_first_error) status_ = status;
  }
  if (is_first_error) Cancel();
  FinishOne();
}

void Submissions::Cancel() {
  std::vector<CancelHandle> handles;
  {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
    if (status_.ok()) status_ = absl::CancelledError("the client cancelled the call");
    handles = handles_;
  }
  for (const CancelHandle& handle : handles) handle.Cancel();
}

void Submissions::FinishOne() {
  absl::Status status;
  {
    const std::lock_guard lock(mutex_);
    if (--pending_ > 0) return;
    status = std::move(status_);
    handles_.clear();
  }
  on_done_(std::move(status));
}

}  // namespace attendant::kserve
