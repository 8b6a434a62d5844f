#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace attendant {

// Between those who start calls and the end of the server that they are for: a call of gRPC's in-process
// channel that begins after its server's Shutdown takes the process down (gRPC 1.51). Thread-safe.
class CallGate {
 public:
  // One who is about to start a call; may be nested.
  class Entry {
   public:
    explicit Entry(CallGate& gate) : gate_(gate), is_open_(gate.Enter()) {}
    ~Entry() {
      if (is_open_) gate_.Leave();
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    // Otherwise no call may be started.
    bool is_open() const { return is_open_; }

   private:
    CallGate& gate_;
    const bool is_open_;
  };

  // Nobody enters any more, and all who did have left.
  void Close() {
    std::unique_lock lock(mutex_);
    is_closed_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  bool Enter() {
    const std::lock_guard lock(mutex_);
    inside_ += is_closed_ ? 0 : 1;
    return !is_closed_;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    --inside_;
    left_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable left_;
  int64_t inside_ = 0;  // Guarded by mutex_, as is ...
  bool is_closed_ = false;
};

}  // namespace attendant
