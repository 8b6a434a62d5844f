#include "server/repository/engine_observer.h"

namespace attendant {

EngineObserver::~EngineObserver() {
  metrics_.MoveQueueDepth(-depth_.load());
  for (size_t i = 0; i < loads_.size(); ++i) MoveTo(static_cast<int32_t>(i), {});
}

void EngineObserver::MoveTo(int32_t worker, const WorkerLoad& load) {
  WorkerLoad& last = loads_[static_cast<size_t>(worker) % loads_.size()];
  const WorkerLoad change = load - last;
  last = load;
  if (change != WorkerLoad{}) metrics_.MoveWorkerLoad(worker, change);
}

void EngineObserver::OnStep(const StepStats& stats) {
  MoveTo(stats.worker, {stats.running, stats.num_blocks - stats.free_blocks, stats.free_blocks});
  metrics_.OnStep(stats);
}

void EngineObserver::OnQueueDepth(int32_t waiting) {
  const int32_t before = depth_.exchange(waiting);
  if (before != waiting) metrics_.MoveQueueDepth(waiting - before);
}

}  // namespace attendant
