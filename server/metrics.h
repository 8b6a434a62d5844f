#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace attendant {

class ModelMetrics;

// The families of all that is counted for a model (or, with another label set, for one method, worker, reason
// of it). Times are in seconds. References stay valid as long as the Metrics that has them.
struct MetricFamilies {
  explicit MetricFamilies(prometheus::Registry& registry);

  using Counters = prometheus::Family<prometheus::Counter>;
  using Gauges = prometheus::Family<prometheus::Gauge>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  Counters& requests;        // {model, method, code}
  Gauges& in_flight;         // {model}
  Histograms& request_time;  // {model, method}
  Counters& rejected;        // {model, reason}
  Counters& shed;            // {model, reason}
  Counters& expired;         // {model, stage}
  Counters& cancelled;       // {model, stage}
  Counters& preempted;       // {model}
  Counters& not_finite;      // {model}
  Histograms& phase_time;    // {model, phase}
  Counters& input_tokens;    // {model}
  Counters& output_tokens;   // {model}
  Counters& texts;           // {model}
  Counters& finished;        // {model, reason}
  Counters& halved;          // {model}
  Counters& replaced;        // {model}
  Histograms& step_rows;     // {model}
  Histograms& step_tokens;   // {model}
  Histograms& step_time;     // {model, stage}
  Counters& core_time;       // {model}
  Histograms& core_wait;     // {model}
  Gauges& queue_depth;       // {model}
  Gauges& running;           // {model, worker}
  Gauges& kv_blocks;         // {model, worker, state}
  Gauges& model_state;       // {model, state}
  Gauges& load_time;         // {model}
  Counters& load_failures;   // {model, code}
  Counters& reloads;         // {model, result}
  Gauges& weights_bytes;     // {model}
  Gauges& kv_cache_bytes;    // {model}
  Gauges& draining;          // {}
  Gauges& build_info;        // {version}
};

// Everything that the server counts, for Prometheus. Label values come from closed sets: the methods and
// codes of gRPC, our own reasons, workers, and the names of the server's models; whatever else a client says
// counts as model="unknown". Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // For a model of the server; the same for the same name.
  ModelMetrics& OfModel(const std::string& name);
  // For calls that name no model that there is, and for methods that have none.
  ModelMetrics& unknown_model() { return *unknown_model_; }
  void SetDraining() { draining_.Set(1); }

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  MetricFamilies families_;
  prometheus::Gauge& draining_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ModelMetrics>> models_;  // Guarded by mutex_.
  std::unique_ptr<ModelMetrics> unknown_model_;
};

}  // namespace attendant
