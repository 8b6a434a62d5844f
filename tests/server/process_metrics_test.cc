#include "server/process_metrics.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <ctime>
#include <map>
#include <string>

namespace attendant {
namespace {

TEST(ProcessMetricsTest, FiguresAreThoseOfThisProcess) {
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : ProcessMetrics().Collect()) {
    ASSERT_EQ(family.metric.size(), 1U);
    const prometheus::ClientMetric& metric = family.metric.front();
    const bool is_counter = family.type == prometheus::MetricType::Counter;
    values[family.name] = is_counter ? metric.counter.value : metric.gauge.value;
  }
  EXPECT_GT(values["process_resident_memory_bytes"], 1e6);
  EXPECT_GT(values["process_virtual_memory_bytes"], values["process_resident_memory_bytes"]);
  EXPECT_GT(values["process_cpu_seconds_total"], 0);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_GE(values["process_max_fds"], values["process_open_fds"]);
  EXPECT_GE(values["process_threads"], 1);
  EXPECT_NEAR(values["process_start_time_seconds"], static_cast<double>(std::time(nullptr)), 600);
}

}  // namespace
}  // namespace attendant
