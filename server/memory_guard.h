#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

namespace attendant {

// Says whether the memory that this process may use is nearly spent, so that calls are refused before the
// kernel kills all. A thread of its own looks every 100 ms. Thread-safe.
class MemoryGuard {
 public:
  // high_percent: 0: never, and no thread. root: where /proc and /sys are found.
  explicit MemoryGuard(int high_percent, std::filesystem::path root = "/");
  ~MemoryGuard();
  MemoryGuard(const MemoryGuard&) = delete;
  MemoryGuard& operator=(const MemoryGuard&) = delete;

  bool IsHigh() const { return is_high_.load(std::memory_order_relaxed); }

 private:
  void Look();
  void Run();

  const double high_;
  const std::filesystem::path root_;
  std::atomic<bool> is_high_{false};
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace attendant
