#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/status/status.h"
#include "engine/base/clock.h"

namespace attendant {

// Counts the inputs of a model from admission to answer, and bounds those that are not yet in the
// scheduler's queue, which bounds the rest. Thread-safe.
class OpenTexts {
 public:
  struct Limits {
    int32_t preparing_texts = 1;
    int64_t preparing_bytes = 1;  // One text alone may be longer.
  };
  explicit OpenTexts(const Limits& limits) : limits_(limits) {}

  // Errors: UNAVAILABLE closed; RESOURCE_EXHAUSTED full. Then the text does not count.
  absl::Status Enter(int64_t bytes);
  // It has left the preparation.
  void NotePrepared(int64_t bytes);
  void NoteAnswered();

  void Close();
  // True: all are answered; false: `timeout` came first.
  bool WaitUntilNone(Duration timeout);

 private:
  const Limits limits_;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable none_;
  int32_t preparing_texts_ = 0;
  int64_t preparing_bytes_ = 0;
  int64_t open_ = 0;
  bool closed_ = false;
};

}  // namespace attendant
