#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "absl/functional/any_invocable.h"
#include "engine/base/thread_pool.h"

namespace attendant {

// Runs tasks one at a time and in order on the threads of a pool: what one request has to say, whatever the
// number of threads. Lives until its last task has run. Thread-safe.
class SerialQueue : public std::enable_shared_from_this<SerialQueue> {
 public:
  // pool must outlive the queue's last task.
  static std::shared_ptr<SerialQueue> Create(ThreadPool& pool);
  void Post(absl::AnyInvocable<void()> task);

 private:
  explicit SerialQueue(ThreadPool& pool) : pool_(pool) {}
  void RunNext();

  ThreadPool& pool_;
  std::mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> tasks_;  // Guarded by mutex_.
  bool is_scheduled_ = false;                     // Guarded by mutex_.
};

}  // namespace attendant
