#include "server/memory_guard.h"

#include <pthread.h>

#include <chrono>
#include <optional>
#include <utility>

#include "engine/base/memory_budget.h"

namespace attendant {
namespace {

constexpr auto kMemoryPollInterval = std::chrono::milliseconds(100);

}  // namespace

MemoryGuard::MemoryGuard(int high_percent, std::filesystem::path root)
    : high_(high_percent / 100.0), root_(std::move(root)) {
  if (high_percent == 0) return;
  Look();
  thread_ = std::thread([this] { Run(); });
}

MemoryGuard::~MemoryGuard() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void MemoryGuard::Look() {
  const std::optional<MemoryUse> use = CurrentMemoryUse(root_);
  is_high_ = use.has_value() && use->fraction() >= high_;
}

void MemoryGuard::Run() {
  pthread_setname_np(pthread_self(), "memory-guard");
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kMemoryPollInterval, [this] { return stop_; })) Look();
}

}  // namespace attendant
