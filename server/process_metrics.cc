#include "server/process_metrics.h"

#include <prometheus/metric_family.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/log_drops.h"

namespace attendant {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Family(const char* name, const char* help, MetricType type, double value) {
  MetricFamily family{name, help, type, {}};
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  metric.counter.value = value;
  family.metric.push_back(metric);
  return family;
}

std::string ReadFile(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The fields of /proc/self/stat from the third on ("state" is 0), past the program's name, which may have
// spaces.
std::vector<std::string> StatFields() {
  const std::string text = ReadFile("/proc/self/stat");
  const size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return {};
  return absl::StrSplit(text.substr(end_of_name + 1), ' ', absl::SkipEmpty());
}

double NumberAt(const std::vector<std::string>& fields, size_t index) {
  double value = 0;
  if (index < fields.size() && !absl::SimpleAtod(fields[index], &value)) value = 0;
  return value;
}

// Seconds since 1970 at which the machine started.
double BootTime() {
  const std::string text = ReadFile("/proc/stat");
  double value = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, "btime ") && absl::SimpleAtod(line, &value)) break;
  }
  return value;
}

double OpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator all("/proc/self/fd", error);
  return error ? 0 : static_cast<double>(std::distance(begin(all), end(all)));
}

double MaxDescriptors() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

}  // namespace

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  constexpr size_t kUserTicks = 11, kSystemTicks = 12, kThreads = 17, kStartTicks = 19, kVirtual = 20,
                   kResident = 21;
  const std::vector<std::string> stat = StatFields();
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const double cpu = (NumberAt(stat, kUserTicks) + NumberAt(stat, kSystemTicks)) / ticks;
  const double start = BootTime() + NumberAt(stat, kStartTicks) / ticks;
  return {
      Family("process_resident_memory_bytes", "Resident memory", MetricType::Gauge,
             NumberAt(stat, kResident) * page),
      Family("process_virtual_memory_bytes", "Virtual memory", MetricType::Gauge, NumberAt(stat, kVirtual)),
      Family("process_cpu_seconds_total", "User and system CPU time", MetricType::Counter, cpu),
      Family("process_open_fds", "Open file descriptors", MetricType::Gauge, OpenDescriptors()),
      Family("process_max_fds", "Limit of open file descriptors", MetricType::Gauge, MaxDescriptors()),
      Family("process_threads", "Threads", MetricType::Gauge, NumberAt(stat, kThreads)),
      Family("process_start_time_seconds", "Start, in seconds since 1970", MetricType::Gauge, start),
      Family("attendant_log_lines_dropped_total", "Lines of the log that could not be written",
             MetricType::Counter, static_cast<double>(LogLinesDropped())),
  };
}

}  // namespace attendant
