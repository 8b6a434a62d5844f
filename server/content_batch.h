#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "engine/tasks/translator.h"
#include "server/prepared_request.h"

namespace attendant {

// The contents of one call on their way through a translator. Invariants: 1. on_done is called exactly once,
// after every other callback. 2. After a content fails, or Cancel, the others are let go, and on_done has the
// first error. Thread-safe. Callbacks come from completion threads, those of different contents at once.
class ContentBatch : public std::enable_shared_from_this<ContentBatch> {
 public:
  struct Callbacks {
    std::function<TranslationEvents(int32_t content)> events;  // Empty: no events are wanted.
    std::function<void(int32_t content, TranslationResult result)> on_content;
    absl::AnyInvocable<void(absl::Status)> on_done;
  };

  explicit ContentBatch(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  // Hands everything to the model's translator; call once. Returns at once.
  void Start(PreparedRequest request);
  // May come before, during or after Start.
  void Cancel();

 private:
  void Submit(int32_t content, PreparedRequest& request);
  void OnContent(int32_t content, absl::StatusOr<TranslationResult> result);
  void FinishOne();

  Callbacks callbacks_;
  std::mutex mutex_;
  std::vector<CancelHandle> handles_;  // Guarded by mutex_, as are ...
  bool is_cancelled_ = false;
  int32_t pending_ = 1;  // Contents without an answer, and Start itself.
  absl::Status status_;  // The first error.
};

}  // namespace attendant
