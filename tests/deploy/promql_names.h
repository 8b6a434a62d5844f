#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace attendant {

// A metric in a PromQL expression, with the labels that its matchers ask for.
struct MetricUse {
  std::string name;
  std::set<std::string> labels;
  std::map<std::string, std::string> values;  // Of those matched by equality.
};

// The metrics of an expression, Grafana's variables and label_values() included.
std::vector<MetricUse> MetricsIn(const std::string& promql);

}  // namespace attendant
