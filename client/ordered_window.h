#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace attendant::client {

// Puts work that finishes in any order back into the order in which it began, with bounds on what is out.
// One thread reserves, any thread completes, one thread pops.
// Invariants:
// 1. Pop() gives results in the order of Reserve(), each exactly once.
// 2. At most max_running reservations are not complete, and at most max_held are not popped.
// 3. After Abort() nothing is reserved, a late Complete() is dropped, and Pop() gives what was complete and
// next in
//    order, then nullopt.
// Thread-safe.
template <typename Result>
class OrderedWindow {
 public:
  struct Limits {
    size_t max_running = 1;
    size_t max_held = 1;  // At least max_running: how far results may run ahead of the oldest one.
  };
  using Ticket = uint64_t;

  explicit OrderedWindow(Limits limits) : limits_(limits) {}

  // Blocks while the window is full. nullopt after Abort().
  std::optional<Ticket> Reserve() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return aborted_ || HasRoom(); });
    if (aborted_) return std::nullopt;
    held_.emplace_back();
    ++num_running_;
    return first_ + held_.size() - 1;
  }

  // Each ticket once.
  void Complete(Ticket ticket, Result result) {
    const std::lock_guard lock(mutex_);
    if (aborted_) return;
    held_[ticket - first_] = std::move(result);
    --num_running_;
    changed_.notify_all();
  }

  // The next result in order; blocks until it is there. nullopt when Finish() was called and all were popped.
  std::optional<Result> Pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return aborted_ || IsNextReady() || (finished_ && held_.empty()); });
    if (!IsNextReady()) return std::nullopt;
    std::optional<Result> result = std::move(held_.front());
    held_.pop_front();
    ++first_;
    changed_.notify_all();
    return result;
  }

  // Nothing more will be reserved.
  void Finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }

  void Abort() {
    const std::lock_guard lock(mutex_);
    aborted_ = true;
    changed_.notify_all();
  }

 private:
  bool HasRoom() const { return num_running_ < limits_.max_running && held_.size() < limits_.max_held; }
  bool IsNextReady() const { return !held_.empty() && held_.front().has_value(); }

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  std::deque<std::optional<Result>> held_;  // From ticket first_ on.
  Ticket first_ = 0;
  size_t num_running_ = 0;
  bool finished_ = false;
  bool aborted_ = false;
};

}  // namespace attendant::client
