#pragma once

#include <grpcpp/support/status.h>

#include <array>
#include <atomic>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/scheduler/scheduler.h"
#include "engine/tasks/translator.h"
#include "server/engine_model.h"
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
  kCount
};
absl::string_view MethodName(Method method);

enum class ModelState { kLoading, kReady, kFailed, kCount };

// What is counted for one model. Recording finds its metric without a look-up. Thread-safe.
class ModelMetrics final : public SchedulerObserver {
 public:
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

  void OnStep(const StepStats& stats) override;
  void OnQueueDepth(int32_t waiting) override;
  void OnQueueTime(Duration waited) override;
  void OnDrop(DropReason reason) override;
  void OnNotFinite() override;
  void OnPreempt() override;

 private:
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;
  static constexpr size_t kMethods = static_cast<size_t>(Method::kCount);
  static constexpr size_t kReasons = static_cast<size_t>(RejectReason::kCount);
  static constexpr size_t kStates = static_cast<size_t>(ModelState::kCount);
  static constexpr size_t kCodes = 17;
  static constexpr size_t kMaxWorkers = 1024;

  // Made when first needed, so that a scrape has no line for what never happens; written by its worker alone.
  struct WorkerGauges {
    std::atomic<Gauge*> running{nullptr};
    Gauge* kv_used = nullptr;
    Gauge* kv_free = nullptr;
  };

  void AddFixedMetrics();
  Counter& RequestCounter(Method method, grpc::StatusCode code);
  WorkerGauges& GaugesOf(int32_t worker);

  MetricFamilies& families_;
  const std::string model_;
  std::array<std::array<std::atomic<Counter*>, kCodes>, kMethods> requests_{};
  std::array<std::atomic<Histogram*>, kMethods> request_time_{};
  std::array<Counter*, kReasons> rejected_{};
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
};

}  // namespace attendant
