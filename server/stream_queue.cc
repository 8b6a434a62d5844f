#include "server/stream_queue.h"

namespace attendant {
namespace {

using v1::TranslateStreamResponse;

int64_t Bytes(const TranslateStreamResponse& event) {
  return static_cast<int64_t>(event.ByteSizeLong());
}

}  // namespace

void StreamQueue::Replace(TranslateStreamResponse& old_event, TranslateStreamResponse event) {
  pending_bytes_ += Bytes(event) - Bytes(old_event);
  old_event = std::move(event);
}

void StreamQueue::Push(TranslateStreamResponse event) {
  if (event.has_growing_text()) {
    const Sentence key{event.growing_text().content_index(), event.growing_text().sentence_index()};
    if (const auto it = growing_.find(key); it != growing_.end())
      return Replace(*it->second, std::move(event));
    pending_bytes_ += Bytes(event);
    events_.push_back(std::make_shared<TranslateStreamResponse>(std::move(event)));
    growing_[key] = events_.back();
    return;
  }
  if (event.has_sentence()) {
    const Sentence key{event.sentence().content_index(), event.sentence().sentence_index()};
    if (const auto it = growing_.find(key); it != growing_.end()) {
      Replace(*it->second, std::move(event));
      growing_.erase(it);
      return;
    }
  }
  pending_bytes_ += Bytes(event);
  events_.push_back(std::make_shared<TranslateStreamResponse>(std::move(event)));
}

std::optional<TranslateStreamResponse> StreamQueue::Pop() {
  if (events_.empty()) return std::nullopt;
  const Slot slot = std::move(events_.front());
  events_.pop_front();
  pending_bytes_ -= Bytes(*slot);
  if (slot->has_growing_text()) {
    growing_.erase({slot->growing_text().content_index(), slot->growing_text().sentence_index()});
  }
  return std::move(*slot);
}

void StreamQueue::Clear() {
  events_.clear();
  growing_.clear();
  pending_bytes_ = 0;
}

}  // namespace attendant
