#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/deploy/manifests.h"
#include "tests/deploy/promql_names.h"
#include "tests/deploy/yaml_json.h"
#include "tests/integration/test_server.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using nlohmann::json;
// The labels of each series, with the values that are known of them.
using LabelsByName = std::map<std::string, std::map<std::string, std::set<std::string>>>;

const json& Dashboard() {
  static const json dashboard =
      json::parse(std::ifstream(DeployDir() / "compose/grafana/dashboards/attendant.json"));
  return dashboard;
}
const json& Rules() {
  static const json rules = ReadManifests(DeployDir() / "compose/prometheus/rules/attendant.rules.yml").at(0);
  return rules;
}

// Every expression, with where it stands.
std::vector<std::pair<std::string, std::string>> Expressions() {
  std::vector<std::pair<std::string, std::string>> result;
  for (const json& group : Rules().at("groups")) {
    for (const json& rule : group.at("rules")) {
      result.emplace_back(rule.value("alert", rule.value("record", "")), rule.at("expr").get<std::string>());
    }
  }
  const json& dashboard = Dashboard();
  for (const json& panel : dashboard.at("panels")) {
    for (const json& target : panel.value("targets", json::array())) {
      result.emplace_back(panel.at("title"), target.at("expr").get<std::string>());
    }
  }
  for (const json& variable : At(dashboard, "/templating/list")) {
    if (variable.at("type") == "query")
      result.emplace_back(variable.at("name"), At(variable, "/query/query").get<std::string>());
  }
  const json adapter = ReadManifests(DeployDir() / "kubernetes/prometheus-adapter.yaml").at(0);
  for (const json& rule : At(adapter, "/rules/custom")) {
    result.emplace_back("adapter", rule.at("seriesQuery").get<std::string>());
    // Its own placeholders, <<.Name>>, stand where labels may.
    const std::string query = rule.at("metricsQuery");
    result.emplace_back("adapter", std::regex_replace(query, std::regex("<<[^>]*>>"), ""));
  }
  return result;
}

// The series of a scrape: names with the labels that they have anywhere.
LabelsByName SeriesOf(const std::string& scrape) {
  LabelsByName series;
  const std::string body = scrape.substr(scrape.find("\r\n\r\n") + 4);
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(body, '\n'))) {
    const size_t space = line.rfind(' ');
    if (space == std::string::npos || absl::StartsWith(line, "#")) continue;
    for (const MetricUse& use : MetricsIn(line.substr(0, space))) {
      series[use.name];
      for (const auto& [label, value] : use.values) series[use.name][label].insert(value);
    }
  }
  return series;
}

LabelsByName Pending() {
  LabelsByName result;
  std::ifstream in(ATTENDANT_SOURCE_DIR "/tests/deploy/pending_metrics.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (std::string label; words >> label;) result[name][label];
    result[name];
  }
  return result;
}

// A server in which all has happened: it has translated, and a model has failed to load.
const LabelsByName& ServerSeries() {
  static const LabelsByName series = [] {
    const TempDir dir;
    dir.Write("config.json", "{}");
    config::ServerConfig config = TestConfig();
    config::ModelConfig& broken = *config.add_model();
    broken.set_name("broken");
    broken.set_path(dir.path());
    const TestServer server(config);
    ExpectGoodAnswer(server);
    EXPECT_TRUE(server.Eventually([&] { return server.Metric("attendant_model_load_failures_total") > 0; }));
    EXPECT_TRUE(server.Eventually([&] { return server.Metric("attendant_request_seconds_count") > 0; }));
    return SeriesOf(server.Scrape());
  }();
  return series;
}

// What Prometheus adds to, and makes of, what it scrapes.
LabelsByName PrometheusSeries() {
  LabelsByName series = {{"up", {}}};
  for (const json& group : Rules().at("groups")) {
    for (const json& rule : group.at("rules")) {
      if (rule.contains("record")) series[rule.at("record")] = {{"phase", {}}, {"model", {}}, {"code", {}}};
    }
  }
  return series;
}

std::string ProblemOf(const MetricUse& use, const LabelsByName& known) {
  static const std::set<std::string> target_labels = {"job", "instance", "namespace", "pod", "le"};
  const auto found = known.find(use.name);
  if (found == known.end()) return "nobody exports " + use.name;
  for (const std::string& label : use.labels) {
    if (target_labels.count(label) == 0 && found->second.count(label) == 0)
      return absl::StrCat(use.name, " has no label ", label);
  }
  // Labels whose values are all there from the start; a code or result has none before it happens.
  static const std::set<std::string> closed_sets = {"phase", "stage", "state", "reason"};
  for (const auto& [label, value] : use.values) {
    if (closed_sets.count(label) == 0 || found->second.at(label).empty()) continue;
    if (found->second.at(label).count(value) == 0)
      return absl::StrCat(use.name, " has no ", label, " ", value);
  }
  return "";
}

TEST(MonitoringTest, EveryMetricNamedIsOneThatTheServerExports) {
  LabelsByName known = ServerSeries();
  known.merge(Pending());
  known.merge(PrometheusSeries());
  size_t uses = 0;
  for (const auto& [where, expression] : Expressions()) {
    const std::vector<MetricUse> metrics = MetricsIn(expression);
    for (const MetricUse& use : metrics) EXPECT_EQ(ProblemOf(use, known), "") << where << ": " << expression;
    uses += metrics.size();
  }
  EXPECT_GT(uses, 60U);
  EXPECT_NE(ProblemOf({"attendant_requests", {}, {}}, known), "");
  EXPECT_NE(ProblemOf({"attendant_requests_total", {"status"}, {}}, known), "");
  EXPECT_NE(ProblemOf(MetricsIn("attendant_phase_seconds_sum{phase=\"waiting\"}")[0], known), "");
  EXPECT_EQ(ProblemOf(MetricsIn("attendant_phase_seconds_sum{phase!=\"waiting\"}")[0], known), "");
  EXPECT_EQ(ProblemOf(MetricsIn("attendant_phase_seconds_sum{phase=\"queue\"}")[0], known), "");
}

TEST(MonitoringTest, PendingMetricsAreStillPending) {
  for (const auto& [name, labels] : Pending()) {
    EXPECT_EQ(ServerSeries().count(name), 0U) << name << " is exported: remove it from pending_metrics.txt";
  }
}

TEST(MonitoringTest, DocumentationNamesEveryMetricOfTheServer) {
  const std::string page = ReadText(ATTENDANT_SOURCE_DIR "/docs/monitoring.md").value();
  for (const auto& [name, labels] : ServerSeries()) {
    std::string family = name;
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      if (absl::EndsWith(name, suffix)) family = name.substr(0, name.size() - std::string(suffix).size());
    }
    EXPECT_TRUE(absl::StrContains(page, "| `" + family + "` |")) << family;
  }
}

TEST(MonitoringTest, EveryAlertSaysWhatToDoAndIsTested) {
  const std::string tests = ReadText(DeployDir() / "compose/prometheus/rules/attendant.test.yml").value();
  for (const json& group : Rules().at("groups")) {
    for (const json& rule : group.at("rules")) {
      if (!rule.contains("alert")) continue;
      const std::string name = rule.at("alert");
      EXPECT_GT(At(rule, "/annotations/runbook").get<std::string>().size(), 25U) << name;
      EXPECT_FALSE(At(rule, "/annotations/summary").is_null()) << name;
      EXPECT_THAT(At(rule, "/labels/severity").get<std::string>(), testing::AnyOf("critical", "warning"))
          << name;
      EXPECT_TRUE(absl::StrContains(tests, name)) << name;
    }
  }
}

TEST(MonitoringTest, DashboardAsksTheProvisionedSourceAndFitsTheGrid) {
  const json& dashboard = Dashboard();
  const json source =
      At(ReadManifests(DeployDir() / "compose/grafana/provisioning/datasources/prometheus.yml").at(0),
         "/datasources/0");
  std::set<int> ids;
  std::set<std::pair<int, int>> cells;
  for (const json& panel : dashboard.at("panels")) {
    const std::string title = panel.at("title");
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second) << title;
    const json& grid = panel.at("gridPos");
    EXPECT_LE(grid.at("x").get<int>() + grid.at("w").get<int>(), 24) << title;
    for (int x = grid.at("x"); x < grid.at("x").get<int>() + grid.at("w").get<int>(); ++x) {
      for (int y = grid.at("y"); y < grid.at("y").get<int>() + grid.at("h").get<int>(); ++y) {
        EXPECT_TRUE(cells.emplace(x, y).second) << title << " lies over another at " << x << "," << y;
      }
    }
    if (panel.at("type") == "row") continue;
    EXPECT_EQ(At(panel, "/datasource/uid"), source.at("uid")) << title;
    EXPECT_FALSE(panel.at("targets").empty()) << title;
  }
  EXPECT_GE(ids.size(), 15U);
}

TEST(PromqlNamesTest, FindsMetricsAndTheirLabelsOnly) {
  const auto text = [](const std::string& expression) {
    std::string result;
    for (const MetricUse& use : MetricsIn(expression)) {
      absl::StrAppend(&result, use.name, "{");
      for (const std::string& label : use.labels) absl::StrAppend(&result, label, ",");
      absl::StrAppend(&result, "} ");
    }
    return result;
  };
  EXPECT_EQ(
      text("sum by (a, b) (rate(x_total{m=\"n\",o=~\"p|q{}\"}[5m])) / on (c) group_left () y:z > 1.5e3"),
      "x_total{m,o,} y:z{} ");
  EXPECT_EQ(
      text("histogram_quantile(0.99, sum(rate(h_bucket{model=~\"$model\"}[$__rate_interval])) by (le))"),
      "h_bucket{model,} ");
  EXPECT_EQ(text("label_values(m{job=\"j\"}, instance)"), "m{job,} ");
  EXPECT_EQ(text("a and b or absent(c{d=\"e\"}) unless f offset 5m"), "a{} b{} c{d,} f{} ");
  EXPECT_EQ(text("1 + 2h"), "");
}

}  // namespace
}  // namespace attendant
