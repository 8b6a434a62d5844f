#pragma once

#include <grpcpp/support/status.h>

#include <array>
#include <atomic>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/scheduler/scheduler.h"
#include "engine/tasks/translator.h"
#include "server/engine_model.h"
#include "server/inference_totals.h"
#include "server/metrics.h"
#include "server/reject_reason.h"

namespace attendant {

// The methods that are counted.
enum class Method {
  kTranslate,
  kTranslateStream,
  kListLanguagePairs,
  kEmbedText,
  kEmbedImage,
  kClassifyText,
  kClassifyImage,
  kLabelTokens,
  kListModels,
  kGetModel,
  kListVersions,
  kLoadModel,
  kUnloadModel,
  kServerLive,
  kServerReady,
  kServerMetadata,
  kModelReady,
  kModelMetadata,
  kModelInfer,
  kModelConfig,
  kModelStatistics,
  kRepositoryIndex,
  kRepositoryModelLoad,
  kRepositoryModelUnload,
  kCount
};
absl::string_view MethodName(Method method);

enum class ModelState { kLoading, kReady, kFailed, kUnloaded, kCount };

// What one worker of a model holds, or by how much that changes.
struct WorkerLoad {
  int32_t running = 0;
  int32_t kv_used = 0;  // Blocks.
  int32_t kv_free = 0;

  WorkerLoad operator-(const WorkerLoad& other) const {
    return {running - other.running, kv_used - other.kv_used, kv_free - other.kv_free};
  }
  bool operator==(const WorkerLoad&) const = default;
};

enum class ReloadResult { kLoaded, kFailed, kUnloaded, kCount };

// What is counted for one model, over all its versions. Recording finds its metric without a look-up.
// Thread-safe.
class ModelMetrics {
 public:
  static constexpr size_t kMaxWorkers = 1024;

  ModelMetrics(MetricFamilies& families, const std::string& model);

  void OnCallBegin();
  // The call turned out to be for `model`.
  void OnCallMoved(ModelMetrics& model);
  void OnCallEnd(Method method, grpc::StatusCode code, Duration took);
  void OnRejected(RejectReason reason);
  void OnResult(const TranslationResult& result);
  void OnState(ModelState state);
  // An input of a model that answers in one pass. images have no tokens of their own: 0.
  void OnEncoded(const EncodeTiming& timing, int32_t tokens);
  void OnLoaded(const EngineModelSummary& model);
  void OnLoadFailed(grpc::StatusCode code);
  void OnReload(ReloadResult result);
  InferenceTotals Totals() const { return totals_.Read(); }

  // As SchedulerObserver's; what an engine holds is told by what changes.
  void OnStep(const SchedulerObserver::StepStats& stats);
  void MoveWorkerLoad(int32_t worker, const WorkerLoad& change);
  void MoveQueueDepth(int32_t change);
  void OnQueueTime(Duration waited);
  void OnDrop(DropReason reason);
  void OnNotFinite();
  void OnPreempt();

 private:
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;
  static constexpr size_t kMethods = static_cast<size_t>(Method::kCount);
  static constexpr size_t kReasons = static_cast<size_t>(RejectReason::kCount);
  static constexpr size_t kStates = static_cast<size_t>(ModelState::kCount);
  static constexpr size_t kCodes = 17;

  // Made when first needed, so that a scrape has no line for what never happens.
  struct WorkerGauges {
    std::atomic<Gauge*> running{nullptr};
    std::atomic<Gauge*> kv_used{nullptr};
    std::atomic<Gauge*> kv_free{nullptr};
  };

  void AddFixedMetrics();
  Counter& RequestCounter(Method method, grpc::StatusCode code);
  WorkerGauges& GaugesOf(int32_t worker);

  MetricFamilies& families_;
  const std::string model_;
  std::array<std::array<std::atomic<Counter*>, kCodes>, kMethods> requests_{};
  std::array<std::atomic<Histogram*>, kMethods> request_time_{};
  std::array<Counter*, kReasons> rejected_{};
  std::array<Counter*, kReasons> shed_{};  // Of reasons that IsShed.
  std::array<Gauge*, kStates> states_{};
  std::array<Counter*, 3> finished_{};  // By FinishReason.
  std::array<Counter*, 4> dropped_{};   // By DropReason.
  Gauge& in_flight_;
  Counter& preempted_;
  Counter& not_finite_;
  Histogram& queue_time_;
  Histogram& encode_time_;
  Histogram& first_token_time_;
  Histogram& per_token_time_;
  Histogram& total_time_;
  Histogram& tokenize_time_;
  Counter& input_tokens_;
  Counter& output_tokens_;
  Counter& texts_;
  Counter& halved_;
  Counter& replaced_;
  Histogram& step_rows_;
  Histogram& step_tokens_;
  Histogram& encode_step_time_;
  Histogram& decode_step_time_;
  Counter& core_time_;
  Histogram& core_wait_;
  Gauge& queue_depth_;
  std::array<WorkerGauges, kMaxWorkers> workers_{};
  InferenceCounter totals_;
};

}  // namespace attendant
