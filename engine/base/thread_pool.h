#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace attendant {

// Runs posted tasks on a fixed number of threads, in order of arrival.
// Invariants:
// 1. Every posted task runs exactly once, also those still queued when the pool is destroyed.
// 2. The queue is unbounded: callers bound what they post (admission does that for requests).
// Not for compute that must stay on one core: batch loops own their threads.
// Thread-safe.
class ThreadPool {
 public:
  // name: at most 15 bytes, shown by ps and gdb; num_threads >= 1.
  ThreadPool(const std::string& name, int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void Post(absl::AnyInvocable<void()> task);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<absl::AnyInvocable<void()>> tasks_;  // Guarded by mutex_.
  bool stopping_ = false;                         // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

}  // namespace attendant
