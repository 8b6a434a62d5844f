#include "server/http/http_exchange.h"

#include <utility>

namespace attendant {

void HttpExchange::Answer(HttpResponse response) {
  Send send;
  {
    const std::lock_guard lock(mutex_);
    send = std::move(send_);
    send_ = nullptr;
    on_gone_ = nullptr;
  }
  if (send) std::move(send)(std::move(response));
}

void HttpExchange::OnGone(absl::AnyInvocable<void()> on_gone) {
  {
    const std::lock_guard lock(mutex_);
    if (!send_) return;
    if (!is_gone_) {
      on_gone_ = std::move(on_gone);
      return;
    }
  }
  on_gone();
}

void HttpExchange::NoteGone() {
  absl::AnyInvocable<void()> on_gone;
  {
    const std::lock_guard lock(mutex_);
    is_gone_ = true;
    on_gone = std::exchange(on_gone_, nullptr);
  }
  if (on_gone) on_gone();  // Without the lock: it may come to Answer.
}

}  // namespace attendant
