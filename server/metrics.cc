#include "server/metrics.h"

#include "server/model_metrics.h"
#include "server/version.h"

namespace attendant {
namespace {

using prometheus::Registry;

MetricFamilies::Counters& Counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
MetricFamilies::Gauges& Gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
MetricFamilies::Histograms& Histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

MetricFamilies::MetricFamilies(Registry& r)
    : requests(Counters(r, "attendant_requests_total", "Calls answered, by method, model and gRPC code")),
      in_flight(Gauges(r, "attendant_requests_in_flight", "Calls accepted and not yet answered")),
      request_time(Histograms(r, "attendant_request_seconds", "Time of a call in the server, by method")),
      rejected(Counters(r, "attendant_rejected_total", "Calls refused before any work was done, by reason")),
      expired(Counters(r, "attendant_expired_total", "Sentences whose deadline passed, by where they were")),
      cancelled(
          Counters(r, "attendant_cancelled_total", "Sentences that were cancelled, by where they were")),
      preempted(Counters(r, "attendant_preempted_total",
                         "Sentences that went back to wait because the key-value cache was full")),
      phase_time(
          Histograms(r, "attendant_phase_seconds",
                     "Time of a text by phase; per_token is the time between two tokens of a sentence")),
      input_tokens(Counters(r, "attendant_input_tokens_total", "Tokens encoded for answered texts")),
      output_tokens(Counters(r, "attendant_output_tokens_total", "Tokens of translations returned")),
      texts(Counters(r, "attendant_texts_total", "Texts translated")),
      finished(Counters(r, "attendant_sentences_total", "Sentences translated, by what ended them")),
      halved(
          Counters(r, "attendant_halved_sentences_total", "Sentences too long for the model, split further")),
      replaced(Counters(r, "attendant_replacement_characters_total", "Invalid UTF-8 sequences repaired")),
      step_rows(Histograms(r, "attendant_step_rows", "Rows (hypotheses) of a decode step")),
      step_tokens(
          Histograms(r, "attendant_step_encoded_tokens", "Source tokens encoded in a step that encoded")),
      step_time(Histograms(r, "attendant_step_seconds", "Time of a step, by stage")),
      queue_depth(Gauges(r, "attendant_queue_depth", "Sentences waiting")),
      running(Gauges(r, "attendant_running_sentences", "Sentences being decoded, by worker")),
      kv_blocks(Gauges(r, "attendant_kv_blocks", "Blocks of the key-value cache, by worker and state")),
      model_state(Gauges(r, "attendant_model_state", "1 for the state that the model is in")),
      load_time(Gauges(r, "attendant_model_load_seconds", "Time that loading the model took")),
      load_failures(Counters(r, "attendant_model_load_failures_total", "Loads that failed, by code")),
      weights_bytes(Gauges(r, "attendant_model_weights_bytes", "Memory of the model's packed weights")),
      kv_cache_bytes(Gauges(r, "attendant_model_kv_cache_bytes", "Memory of the model's key-value cache")),
      draining(Gauges(r, "attendant_draining", "1 once the server is shutting down")),
      build_info(Gauges(r, "attendant_build_info", "1; the label is the version")) {}

Metrics::Metrics()
    : registry_(std::make_shared<Registry>()), families_(*registry_), draining_(families_.draining.Add({})) {
  unknown_model_ = std::make_unique<ModelMetrics>(families_, "unknown");
  families_.build_info.Add({{"version", std::string(kVersion)}}).Set(1);
}

Metrics::~Metrics() = default;

ModelMetrics& Metrics::AddModel(const std::string& name) {
  models_.push_back(std::make_unique<ModelMetrics>(families_, name));
  return *models_.back();
}

}  // namespace attendant
