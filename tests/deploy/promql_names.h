#pragma once

#include <set>
#include <string>
#include <vector>

namespace attendant {

// A metric in a PromQL expression, with the labels that its matchers ask for.
struct MetricUse {
  std::string name;
  std::set<std::string> labels;
};

// The metrics of an expression, Grafana's variables and label_values() included.
std::vector<MetricUse> MetricsIn(const std::string& promql);

}  // namespace attendant
