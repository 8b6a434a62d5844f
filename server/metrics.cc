#include "server/metrics.h"

#include "server/model_metrics.h"
#include "server/version.h"

namespace attendant {
namespace {

using prometheus::Registry;

MetricFamilies::Counters& AddCounters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
MetricFamilies::Gauges& AddGauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
MetricFamilies::Histograms& AddHistograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

MetricFamilies::MetricFamilies(Registry& r)
    : requests(AddCounters(r, "attendant_requests_total", "Calls answered, by method, model and gRPC code")),
      in_flight(AddGauges(r, "attendant_requests_in_flight", "Calls accepted and not yet answered")),
      request_time(AddHistograms(r, "attendant_request_seconds", "Time of a call in the server, by method")),
      rejected(
          AddCounters(r, "attendant_rejected_total", "Calls refused before any work was done, by reason")),
      shed(AddCounters(r, "attendant_shed_total",
                       "Calls refused for the load, by reason; they count as rejected as well")),
      expired(
          AddCounters(r, "attendant_expired_total", "Sentences whose deadline passed, by where they were")),
      cancelled(
          AddCounters(r, "attendant_cancelled_total", "Sentences that were cancelled, by where they were")),
      preempted(AddCounters(r, "attendant_preempted_total",
                            "Sentences that went back to wait because the key-value cache was full")),
      not_finite(AddCounters(r, "attendant_not_finite_total",
                             "Sentences that failed because the model gave a NaN or an infinity")),
      phase_time(
          AddHistograms(r, "attendant_phase_seconds",
                        "Time of a text by phase; per_token is the time between two tokens of a sentence")),
      input_tokens(AddCounters(r, "attendant_input_tokens_total", "Tokens encoded for answered texts")),
      output_tokens(AddCounters(r, "attendant_output_tokens_total", "Tokens of translations returned")),
      texts(AddCounters(r, "attendant_texts_total", "Texts translated, and texts and images encoded")),
      finished(AddCounters(r, "attendant_sentences_total", "Sentences translated, by what ended them")),
      halved(AddCounters(r, "attendant_halved_sentences_total",
                         "Sentences too long for the model, split further")),
      replaced(AddCounters(r, "attendant_replacement_characters_total", "Invalid UTF-8 sequences repaired")),
      step_rows(AddHistograms(r, "attendant_step_rows", "Rows (hypotheses) of a decode step")),
      step_tokens(
          AddHistograms(r, "attendant_step_encoded_tokens", "Source tokens encoded in a step that encoded")),
      step_time(AddHistograms(r, "attendant_step_seconds", "Time of a step, by stage")),
      core_time(AddCounters(r, "attendant_core_seconds_total", "Time that the model's steps held cores")),
      core_wait(AddHistograms(r, "attendant_core_wait_seconds", "Time that a step waited for a core")),
      queue_depth(AddGauges(r, "attendant_queue_depth", "Sentences waiting")),
      running(AddGauges(r, "attendant_running_sentences", "Sentences being decoded, by worker")),
      kv_blocks(AddGauges(r, "attendant_kv_blocks", "Blocks of the key-value cache, by worker and state")),
      model_state(AddGauges(r, "attendant_model_state", "1 for the state that the model is in")),
      load_time(AddGauges(r, "attendant_model_load_seconds", "Time that loading the model took")),
      load_failures(AddCounters(r, "attendant_model_load_failures_total", "Loads that failed, by code")),
      reloads(AddCounters(r, "attendant_reload_total",
                          "Models loaded, refused and unloaded since the start, by result")),
      weights_bytes(AddGauges(r, "attendant_model_weights_bytes", "Memory of the model's packed weights")),
      kv_cache_bytes(AddGauges(r, "attendant_model_kv_cache_bytes", "Memory of the model's key-value cache")),
      draining(AddGauges(r, "attendant_draining", "1 once the server is shutting down")),
      build_info(AddGauges(r, "attendant_build_info", "1; the label is the version")) {}

Metrics::Metrics()
    : registry_(std::make_shared<Registry>()), families_(*registry_), draining_(families_.draining.Add({})) {
  unknown_model_ = std::make_unique<ModelMetrics>(families_, "unknown");
  families_.build_info.Add({{"version", std::string(kVersion)}}).Set(1);
}

Metrics::~Metrics() = default;

ModelMetrics& Metrics::OfModel(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<ModelMetrics>& model = models_[name];
  if (model == nullptr) model = std::make_unique<ModelMetrics>(families_, name);
  return *model;
}

}  // namespace attendant
