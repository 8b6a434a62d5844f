#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/tasks/cancel_handle.h"

namespace attendant::kserve {

// What one call has handed to a model. Invariants: 1. on_done is called exactly once, after Close and the
// last Finish, with the first error. 2. After an error, or Cancel, all others are let go, and no more are
// started. Thread-safe; held by a shared_ptr that outlives the last Finish.
class Submissions {
 public:
  using OnDone = absl::AnyInvocable<void(absl::Status)>;
  explicit Submissions(OnDone on_done) : on_done_(std::move(on_done)) {}

  // Hands over one request; its completion must call Finish. Not after Close.
  void Submit(absl::FunctionRef<CancelHandle()> start);
  // One request is answered.
  void Finish(const absl::Status& status);
  // No more will be submitted.
  void Close() { FinishOne(); }
  void Cancel();

 private:
  void FinishOne();

  OnDone on_done_;
  std::mutex mutex_;
  std::vector<CancelHandle> handles_;  // Guarded by mutex_, as are ...
  bool is_cancelled_ = false;
  int pending_ = 1;      // Without an answer, and the submitter itself.
  absl::Status status_;  // The first error.
};

}  // namespace attendant::kserve
