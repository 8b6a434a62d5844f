#include "server/model_metrics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

using prometheus::Histogram;
using prometheus::Labels;

double Seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// 0.1 ms to 100 s, three to a decade.
Histogram::BucketBoundaries TimeBuckets() {
  return {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
          0.2,    0.5,    1,      2,     5,     10,    20,   50,   100};
}

Histogram::BucketBoundaries CountBuckets() {
  return {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};
}

Histogram& Phase(MetricFamilies& families, const std::string& model, const char* phase) {
  return families.phase_time.Add({{"model", model}, {"phase", phase}}, TimeBuckets());
}

constexpr std::array<absl::string_view, 17> kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

size_t CodeIndex(grpc::StatusCode code) {
  const auto index = static_cast<size_t>(code);
  return index < kCodeNames.size() ? index : static_cast<size_t>(grpc::StatusCode::UNKNOWN);
}

}  // namespace

absl::string_view MethodName(Method method) {
  constexpr std::array<absl::string_view, static_cast<size_t>(Method::kCount)> kNames = {
      "Translate",       "TranslateStream", "ListLanguagePairs",   "EmbedText",
      "EmbedImage",      "ClassifyText",    "ClassifyImage",       "LabelTokens",
      "ListModels",      "GetModel",        "ListVersions",        "LoadModel",
      "UnloadModel",     "ServerLive",      "ServerReady",         "ServerMetadata",
      "ModelReady",      "ModelMetadata",   "ModelInfer",          "ModelConfig",
      "ModelStatistics", "RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload"};
  return kNames[static_cast<size_t>(method)];
}

ModelMetrics::ModelMetrics(MetricFamilies& families, const std::string& model)
    : families_(families),
      model_(model),
      in_flight_(families.in_flight.Add({{"model", model}})),
      preempted_(families.preempted.Add({{"model", model}})),
      not_finite_(families.not_finite.Add({{"model", model}})),
      queue_time_(Phase(families, model, "queue")),
      encode_time_(Phase(families, model, "encode")),
      first_token_time_(Phase(families, model, "first_token")),
      per_token_time_(Phase(families, model, "per_token")),
      total_time_(Phase(families, model, "total")),
      tokenize_time_(Phase(families, model, "tokenize")),
      input_tokens_(families.input_tokens.Add({{"model", model}})),
      output_tokens_(families.output_tokens.Add({{"model", model}})),
      texts_(families.texts.Add({{"model", model}})),
      halved_(families.halved.Add({{"model", model}})),
      replaced_(families.replaced.Add({{"model", model}})),
      step_rows_(families.step_rows.Add({{"model", model}}, CountBuckets())),
      step_tokens_(families.step_tokens.Add({{"model", model}}, CountBuckets())),
      encode_step_time_(families.step_time.Add({{"model", model}, {"stage", "encode"}}, TimeBuckets())),
      decode_step_time_(families.step_time.Add({{"model", model}, {"stage", "decode"}}, TimeBuckets())),
      core_time_(families.core_time.Add({{"model", model}})),
      core_wait_(families.core_wait.Add({{"model", model}}, TimeBuckets())),
      queue_depth_(families.queue_depth.Add({{"model", model}})) {
  AddFixedMetrics();
}

void ModelMetrics::AddFixedMetrics() {
  for (size_t i = 0; i < kReasons; ++i) {
    rejected_[i] =
        &families_.rejected.Add({{"model", model_}, {"reason", std::string(kRejectReasonLabels[i])}});
    if (!IsShed(static_cast<RejectReason>(i))) continue;
    shed_[i] = &families_.shed.Add({{"model", model_}, {"reason", std::string(kRejectReasonLabels[i])}});
  }
  constexpr std::array<const char*, 3> kFinish = {"end_token", "max_length", "repetition"};
  for (size_t i = 0; i < kFinish.size(); ++i) {
    finished_[i] = &families_.finished.Add({{"model", model_}, {"reason", kFinish[i]}});
  }
  const auto stage = [this](const char* name) { return Labels{{"model", model_}, {"stage", name}}; };
  dropped_[static_cast<size_t>(DropReason::kExpiredInQueue)] = &families_.expired.Add(stage("queue"));
  dropped_[static_cast<size_t>(DropReason::kExpiredRunning)] = &families_.expired.Add(stage("running"));
  dropped_[static_cast<size_t>(DropReason::kCancelledInQueue)] = &families_.cancelled.Add(stage("queue"));
  dropped_[static_cast<size_t>(DropReason::kCancelledRunning)] = &families_.cancelled.Add(stage("running"));
}

ModelMetrics::Counter& ModelMetrics::RequestCounter(Method method, grpc::StatusCode code) {
  const size_t index = CodeIndex(code);
  std::atomic<Counter*>& slot = requests_[static_cast<size_t>(method)][index];
  if (Counter* counter = slot.load(std::memory_order_acquire)) return *counter;
  // Add gives the same counter for the same labels, so two threads may both come here.
  Counter& counter = families_.requests.Add({{"model", model_},
                                             {"method", std::string(MethodName(method))},
                                             {"code", std::string(kCodeNames[index])}});
  slot.store(&counter, std::memory_order_release);
  return counter;
}

void ModelMetrics::OnCallBegin() {
  in_flight_.Increment();
}

void ModelMetrics::OnCallMoved(ModelMetrics& model) {
  in_flight_.Decrement();
  model.in_flight_.Increment();
}

void ModelMetrics::OnCallEnd(Method method, grpc::StatusCode code, Duration took) {
  in_flight_.Decrement();
  RequestCounter(method, code).Increment();
  std::atomic<Histogram*>& slot = request_time_[static_cast<size_t>(method)];
  Histogram* histogram = slot.load(std::memory_order_acquire);
  if (histogram == nullptr) {
    histogram = &families_.request_time.Add({{"model", model_}, {"method", std::string(MethodName(method))}},
                                            TimeBuckets());
    slot.store(histogram, std::memory_order_release);
  }
  histogram->Observe(Seconds(took));
  using CallEnd = InferenceCounter::CallEnd;
  totals_.AddCall(code == grpc::StatusCode::OK ? CallEnd::kOk : CallEnd::kFailed, took);
}

void ModelMetrics::OnRejected(RejectReason reason) {
  rejected_[static_cast<size_t>(reason)]->Increment();
  if (IsShed(reason)) shed_[static_cast<size_t>(reason)]->Increment();
}

void ModelMetrics::OnResult(const TranslationResult& result) {
  texts_.Increment();
  input_tokens_.Increment(result.input_tokens);
  output_tokens_.Increment(result.output_tokens);
  halved_.Increment(result.halved_sentences);
  replaced_.Increment(result.replacement_characters);
  for (const SentenceTranslation& sentence : result.sentences) {
    if (sentence.hypotheses.empty()) continue;
    finished_[static_cast<size_t>(sentence.hypotheses.front().finish_reason)]->Increment();
  }
  tokenize_time_.Observe(Seconds(result.timing.tokenize));
  encode_time_.Observe(Seconds(result.timing.encode));
  first_token_time_.Observe(Seconds(result.timing.first_token));
  total_time_.Observe(Seconds(result.timing.total));
  totals_.AddInput({result.timing.tokenize, result.timing.queue, result.timing.total});
}

void ModelMetrics::OnState(ModelState state) {
  constexpr std::array<const char*, kStates> kNames = {"loading", "ready", "failed", "unloaded"};
  for (size_t i = 0; i < kStates; ++i) {
    families_.model_state.Add({{"model", model_}, {"state", kNames[i]}})
        .Set(i == static_cast<size_t>(state) ? 1 : 0);
  }
}

void ModelMetrics::OnEncoded(const EncodeTiming& timing, int32_t tokens) {
  texts_.Increment();
  input_tokens_.Increment(tokens);
  tokenize_time_.Observe(Seconds(timing.prepare));
  encode_time_.Observe(Seconds(timing.encode));
  total_time_.Observe(Seconds(timing.total));
  totals_.AddInput({timing.prepare, timing.queue, timing.total});
}

void ModelMetrics::OnLoaded(const EngineModelSummary& model) {
  families_.load_time.Add({{"model", model_}}).Set(Seconds(model.load_time));
  families_.weights_bytes.Add({{"model", model_}}).Set(static_cast<double>(model.weights_bytes));
  families_.kv_cache_bytes.Add({{"model", model_}}).Set(static_cast<double>(model.kv_cache_bytes));
}

void ModelMetrics::OnReload(ReloadResult result) {
  constexpr std::array<const char*, static_cast<size_t>(ReloadResult::kCount)> kNames = {"loaded", "failed",
                                                                                         "unloaded"};
  families_.reloads.Add({{"model", model_}, {"result", kNames[static_cast<size_t>(result)]}}).Increment();
}

void ModelMetrics::OnLoadFailed(grpc::StatusCode code) {
  families_.load_failures.Add({{"model", model_}, {"code", std::string(kCodeNames[CodeIndex(code)])}})
      .Increment();
}

ModelMetrics::WorkerGauges& ModelMetrics::GaugesOf(int32_t worker) {
  WorkerGauges& gauges = workers_[static_cast<size_t>(worker) % kMaxWorkers];
  if (gauges.running.load(std::memory_order_acquire) != nullptr) return gauges;
  const std::string name = absl::StrCat(worker);
  const auto kv = [&](const char* state) {
    return Labels{{"model", model_}, {"worker", name}, {"state", state}};
  };
  gauges.kv_used = &families_.kv_blocks.Add(kv("used"));
  gauges.kv_free = &families_.kv_blocks.Add(kv("free"));
  gauges.running.store(&families_.running.Add({{"model", model_}, {"worker", name}}),
                       std::memory_order_release);
  return gauges;
}

void ModelMetrics::OnStep(const SchedulerObserver::StepStats& stats) {
  if (stats.entered > 0 || stats.rows > 0) totals_.AddStep();
  core_time_.Increment(Seconds(stats.core_time));
  core_wait_.Observe(Seconds(stats.core_wait));
  if (stats.entered > 0) {
    step_tokens_.Observe(stats.encoded_tokens);
    encode_step_time_.Observe(Seconds(stats.encode_time));
  }
  if (stats.rows > 0) {
    step_rows_.Observe(stats.rows);
    decode_step_time_.Observe(Seconds(stats.step_time));
    per_token_time_.Observe(Seconds(stats.encode_time + stats.step_time));
  }
}

void ModelMetrics::MoveWorkerLoad(int32_t worker, const WorkerLoad& change) {
  const WorkerGauges& gauges = GaugesOf(worker);
  gauges.running.load(std::memory_order_acquire)->Increment(change.running);
  gauges.kv_used.load(std::memory_order_acquire)->Increment(change.kv_used);
  gauges.kv_free.load(std::memory_order_acquire)->Increment(change.kv_free);
}

void ModelMetrics::MoveQueueDepth(int32_t change) {
  queue_depth_.Increment(change);
}
void ModelMetrics::OnQueueTime(Duration waited) {
  queue_time_.Observe(Seconds(waited));
}
void ModelMetrics::OnDrop(DropReason reason) {
  dropped_[static_cast<size_t>(reason)]->Increment();
}
void ModelMetrics::OnNotFinite() {
  not_finite_.Increment();
}
void ModelMetrics::OnPreempt() {
  preempted_.Increment();
}

}  // namespace attendant
