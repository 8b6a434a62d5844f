#pragma once

#include <prometheus/collectable.h>

#include <vector>

namespace attendant {

// The process's own figures, read from /proc at each scrape, under the names that every Prometheus dashboard
// knows: process_resident_memory_bytes, process_virtual_memory_bytes, process_cpu_seconds_total,
// process_open_fds, process_max_fds, process_threads, process_start_time_seconds. Thread-safe.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace attendant
