#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "attendant/v1/translation_service.pb.h"

namespace attendant {

// Events that wait until a reader takes them. A slow reader costs bounded memory: growing text waits once per
// sentence, in its latest form, and gives its place to the finished sentence; the rest is counted, and the
// owner ends a stream that has too much. Not thread-safe.
class StreamQueue {
 public:
  void Push(v1::TranslateStreamResponse event);
  std::optional<v1::TranslateStreamResponse> Pop();
  void Clear();
  // Serialised size of what waits.
  int64_t pending_bytes() const { return pending_bytes_; }

 private:
  using Sentence = std::pair<int32_t, int32_t>;  // Content and sentence index.
  using Slot = std::shared_ptr<v1::TranslateStreamResponse>;

  void Replace(v1::TranslateStreamResponse& old_event, v1::TranslateStreamResponse event);

  std::deque<Slot> events_;
  std::map<Sentence, Slot> growing_;  // Those of events_ that are growing text.
  int64_t pending_bytes_ = 0;
};

}  // namespace attendant
