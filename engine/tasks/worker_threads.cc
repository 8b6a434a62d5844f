#include "engine/tasks/worker_threads.h"

#include <pthread.h>
#include <sched.h>

#include <utility>

#include "engine/base/cpu_budget.h"

namespace attendant {
namespace {

void PinTo(int cpu) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(cpu, &mask);
  pthread_setaffinity_np(pthread_self(), sizeof(mask), &mask);  // Failing costs speed only.
}

}  // namespace

int32_t NumWorkers(int32_t num_workers) {
  return num_workers > 0 ? num_workers : DetectCpuBudget().num_cpus;
}

std::function<void(int32_t worker)> Pinning(int32_t num_workers) {
  const CpuBudget budget = DetectCpuBudget();
  if (static_cast<size_t>(num_workers) != budget.cpu_ids.size() || num_workers != budget.num_cpus) return {};
  return [cpus = budget.cpu_ids](int32_t worker) { PinTo(cpus[static_cast<size_t>(worker)]); };
}

SchedulerOptions WithPinning(SchedulerOptions options, int32_t num_workers) {
  const std::function<void(int32_t)> pin = Pinning(num_workers);
  if (!pin) return options;
  options.on_worker_start = [pin, next = std::move(options.on_worker_start)](int32_t worker) {
    pin(worker);
    if (next) next(worker);
  };
  return options;
}

}  // namespace attendant
