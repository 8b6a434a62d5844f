#include "server/content_batch.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/grpc_status.h"

namespace attendant {

void ContentBatch::Start(PreparedRequest request) {
  const auto contents = static_cast<int32_t>(request.contents.size());
  for (int32_t i = 0; i < contents; ++i) {
    {
      const std::lock_guard lock(mutex_);
      if (is_cancelled_) {
        if (status_.ok()) status_ = absl::CancelledError("the client cancelled the call");
        break;
      }
      ++pending_;
    }
    Submit(i, request);
  }
  FinishOne();
}

void ContentBatch::Submit(int32_t content, PreparedRequest& request) {
  TranslationRequest task{std::move(request.contents[content]), request.options, request.priority,
                          request.deadline};
  TranslationEvents events = callbacks_.events ? callbacks_.events(content) : TranslationEvents{};
  CancelHandle handle = request.model.engine.translator->Translate(
      std::move(task), std::move(events),
      [self = shared_from_this(), content](absl::StatusOr<TranslationResult> result) {
        self->OnContent(content, std::move(result));
      });
  bool is_too_late = false;
  {
    const std::lock_guard lock(mutex_);
    is_too_late = is_cancelled_;
    handles_.push_back(handle);
  }
  if (is_too_late) handle.Cancel();
}

void ContentBatch::OnContent(int32_t content, absl::StatusOr<TranslationResult> result) {
  if (result.ok()) {
    callbacks_.on_content(content, *std::move(result));
  } else {
    bool is_first = false;
    {
      const std::lock_guard lock(mutex_);
      is_first = status_.ok();
      if (is_first) {
        status_ = absl::Status(result.status().code(),
                               absl::StrCat("contents[", content, "]: ", result.status().message()));
        // What only the model could see: too many sentences, an option beyond its limits.
        if (absl::IsInvalidArgument(status_)) status_ = Rejected(RejectReason::kInvalid, status_);
        if (absl::IsResourceExhausted(status_)) {
          status_ = Rejected(QueueReasonOf(result.status()), status_);
        }
      }
    }
    if (is_first) Cancel();
  }
  FinishOne();
}

void ContentBatch::Cancel() {
  std::vector<CancelHandle> handles;
  {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
    handles = handles_;
  }
  for (const CancelHandle& handle : handles) handle.Cancel();
}

void ContentBatch::FinishOne() {
  absl::Status status;
  {
    const std::lock_guard lock(mutex_);
    if (--pending_ > 0) return;
    status = std::move(status_);
    handles_.clear();
  }
  callbacks_.on_done(std::move(status));
}

}  // namespace attendant
