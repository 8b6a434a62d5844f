#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "engine/scheduler/scheduler.h"
#include "server/model_metrics.h"

namespace attendant {

// Hears one loaded engine and counts for its model. While a new version takes over from an old one, two
// engines count for the same model: gauges are moved by what changed, and given back when the engine is gone.
// Thread-safe; the engine and the metrics outlive neither each other's use of it.
class EngineObserver final : public SchedulerObserver {
 public:
  explicit EngineObserver(ModelMetrics& metrics) : metrics_(metrics) {}
  ~EngineObserver() override;  // The engine is gone.
  EngineObserver(const EngineObserver&) = delete;
  EngineObserver& operator=(const EngineObserver&) = delete;

  void OnStep(const StepStats& stats) override;
  void OnQueueDepth(int32_t waiting) override;
  void OnQueueTime(Duration waited) override { metrics_.OnQueueTime(waited); }
  void OnDrop(DropReason reason) override { metrics_.OnDrop(reason); }
  void OnPreempt() override { metrics_.OnPreempt(); }
  void OnNotFinite() override { metrics_.OnNotFinite(); }

 private:
  void MoveTo(int32_t worker, const WorkerLoad& load);

  ModelMetrics& metrics_;
  std::atomic<int32_t> depth_{0};
  std::array<WorkerLoad, ModelMetrics::kMaxWorkers> loads_{};  // Each written by its own worker.
};

}  // namespace attendant
