#include "engine/tasks/worker_threads.h"

#include <pthread.h>
#include <sched.h>

#include <utility>

#include "absl/types/span.h"
#include "engine/base/cpu_budget.h"

namespace attendant {
namespace {

void PinTo(absl::Span<const int> cpus) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int cpu : cpus) CPU_SET(cpu, &mask);
  pthread_setaffinity_np(pthread_self(), sizeof(mask), &mask);  // Failing costs speed only.
}

}  // namespace

int32_t NumWorkers(int32_t num_workers) {
  return num_workers > 0 ? num_workers : DetectCpuBudget().num_cpus;
}

std::function<void(int32_t core)> Pinning(int32_t num_workers) {
  const CpuBudget budget = DetectCpuBudget();
  if (static_cast<size_t>(num_workers) != budget.cpu_ids.size() || num_workers != budget.num_cpus) return {};
  return [cpus = budget.cpu_ids](int32_t core) {
    const absl::Span<const int> all = cpus;
    const bool is_one = core >= 0 && static_cast<size_t>(core) < all.size();
    PinTo(is_one ? all.subspan(static_cast<size_t>(core), 1) : all);
  };
}

SchedulerOptions WithPinning(SchedulerOptions options, int32_t num_workers) {
  const std::function<void(int32_t)> pin = Pinning(num_workers);
  if (!pin) return options;
  options.on_worker_start = [pin, next = std::move(options.on_worker_start)](int32_t worker) {
    pin(worker);
    if (next) next(worker);
  };
  options.on_core_change = pin;
  return options;
}

}  // namespace attendant
