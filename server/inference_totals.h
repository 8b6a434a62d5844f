#pragma once

#include <cstdint>
#include <mutex>

#include "engine/base/clock.h"

namespace attendant {

// How often something happened, and how long it took in all.
struct CountedTime {
  uint64_t count = 0;
  Duration total{};

  void Add(Duration duration) {
    ++count;
    total += duration;
  }
};

// What a model has done since the process began, as the Open Inference Protocol reports it: of calls in every
// protocol.
struct InferenceTotals {
  CountedTime succeeded;  // Calls, from acceptance to answer.
  CountedTime failed;
  CountedTime queue;               // Answered inputs: waiting, ...
  CountedTime prepare;             // ... tokenising, or decoding the image, ...
  CountedTime compute;             // ... and what is left of their time.
  uint64_t steps = 0;              // Of batches.
  uint64_t last_call_unix_ms = 0;  // 0: there was none.
};

// Adds them up. Thread-safe.
class InferenceCounter {
 public:
  enum class CallEnd { kOk, kFailed };
  struct InputTime {
    Duration prepare;
    Duration queue;
    Duration total;
  };
  void AddCall(CallEnd end, Duration took);
  void AddInput(const InputTime& time);
  void AddStep();
  InferenceTotals Read() const;

 private:
  mutable std::mutex mutex_;
  InferenceTotals totals_;  // Guarded by mutex_.
};

}  // namespace attendant
