#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "server/server_config.pb.h"
#include "tests/deploy/manifest_problems.h"
#include "tests/deploy/yaml_json.h"

namespace attendant {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kPod[] = "/spec/template/spec";
constexpr char kContainer[] = "/spec/template/spec/containers/0";

// What the operator makes, as docs/kubernetes.md says.
const std::set<std::string>& ExternalSecrets() {
  static const std::set<std::string> names = {"attendant-tls", "attendant-keys"};
  return names;
}

TEST(ManifestTest, ObjectsFitEachOther) {
  for (const auto& [name, manifests] : AllManifests())
    EXPECT_THAT(LinkProblems(manifests, ExternalSecrets()), IsEmpty()) << name;
}

TEST(ManifestTest, PodsFitTheServer) {
  const bool has_tls = config::ServerConfig::descriptor()->FindFieldByName("tls") != nullptr;
  for (const auto& [name, manifests] : AllManifests()) {
    if (!has_tls && name == "kubernetes/rendered/production.yaml") continue;  // It needs a server with TLS.
    EXPECT_THAT(ServerProblems(manifests), IsEmpty()) << name;
  }
}

// The base with one thing changed.
struct Change {
  const char* kind;
  const char* name;
  std::string pointer;
  json value;
  const char* problem;
};

Manifests Changed(const Change& change) {
  Manifests manifests = ReadKustomizeBase(DeployDir() / "kubernetes/base");
  for (json& object : manifests) {
    if (KindOf(object) == change.kind && NameOf(object) == change.name)
      object[json::json_pointer(change.pointer)] = change.value;
  }
  return manifests;
}

TEST(ManifestTest, LinksThatAreBrokenAreFound) {
  const std::string pod = kPod, container = kContainer;
  const json other = {{"app.kubernetes.io/name", "other"}};
  const Change changes[] = {
      {"Deployment", "attendant", "/spec/template/metadata/labels", other, "does not select its own pods"},
      {"Deployment", "attendant", "/spec/replicas", 2, "sets replicas"},
      {"Deployment", "attendant", pod + "/serviceAccountName", "default", "ServiceAccount"},
      {"Deployment", "attendant", pod + "/volumes/0/configMap/name", "attendant-confg",
       "ConfigMap attendant-confg"},
      {"Deployment", "attendant", pod + "/volumes/1/persistentVolumeClaim/claimName", "models",
       "claim models"},
      {"Deployment",
       "attendant",
       pod + "/volumes/2",
       {{"name", "keys"}, {"secret", {{"secretName", "keys"}}}},
       "Secret keys"},
      {"Deployment", "attendant", pod + "/volumes/2/name", "temp", "nothing mounts the volume temp"},
      {"Deployment", "attendant", pod + "/topologySpreadConstraints/0/labelSelector/matchLabels", other,
       "spreads other pods"},
      {"Deployment", "attendant", pod + "/securityContext/runAsNonRoot", false, "root"},
      {"Deployment", "attendant", container + "/volumeMounts/2/name", "temp", "no volume \"temp\""},
      {"Deployment", "attendant", container + "/volumeMounts/2/mountPath", "/models", "two volumes at"},
      {"Deployment", "attendant", container + "/securityContext/readOnlyRootFilesystem", false,
       "can be written"},
      {"Deployment",
       "attendant",
       container + "/securityContext/capabilities/drop",
       {"NET_RAW"},
       "capabilities"},
      {"Deployment", "attendant", container + "/readinessProbe/grpc/port", 8501,
       "readinessProbe asks a port"},
      {"Deployment", "attendant", container + "/resources/limits/cpu", "1500m", "whole cores"},
      {"Deployment", "attendant", container + "/resources/requests/cpu", "1", "requests are not the limits"},
      {"Service", "attendant", "/spec/selector", other, "selects no pods"},
      {"Service", "attendant", "/spec/ports/0/targetPort", "http", "no container has the port"},
      {"Service", "attendant", "/metadata/labels/app.kubernetes.io~1component", "headless",
       "selects 2 Services"},
      {"Service", "attendant-headless", "/spec/ports/1/name", "prometheus", "the Service has no such port"},
      {"Service", "attendant-headless", "/metadata/labels", other, "selects 0 Services"},
      {"ServiceMonitor", "attendant", "/spec/jobLabel", "app", "the job is not attendant"},
      {"NetworkPolicy", "attendant", "/spec/podSelector/matchLabels", other, "selects no pods"},
      {"NetworkPolicy", "attendant", "/spec/ingress/0/ports/0/port", 9000, "no container has the port"},
      {"PodDisruptionBudget", "attendant", "/spec/selector/matchLabels", other, "selects no pods"},
      {"HorizontalPodAutoscaler", "attendant", "/spec/scaleTargetRef/name", "server",
       "scales what there is not"},
      {"HorizontalPodAutoscaler", "attendant", "/spec/minReplicas", 1, "one replica"},
  };
  for (const Change& change : changes) {
    EXPECT_THAT(LinkProblems(Changed(change)), Contains(HasSubstr(change.problem)))
        << change.kind << change.pointer;
  }
}

TEST(ManifestTest, PodsThatDoNotFitTheServerAreFound) {
  const std::string pod = kPod, container = kContainer;
  const std::string config = "listen_address: '0.0.0.0:8500' metrics_address: '0.0.0.0:9500' ";
  const auto map = [&](const std::string& text, const char* problem) {
    return Change{"ConfigMap", "attendant-config", "/data/server.txt", text, problem};
  };
  const Change changes[] = {
      {"Deployment",
       "attendant",
       container + "/args",
       {"--confg=/etc/attendant/server.txt"},
       "no flag --confg"},
      {"Deployment",
       "attendant",
       container + "/args",
       {"--config", "/etc/attendant/other.txt"},
       "no ConfigMap has it"},
      {"Deployment", "attendant", container + "/args/2", "--max-queue=0", "max-queue"},
      {"Deployment", "attendant", pod + "/terminationGracePeriodSeconds", 50, "killed before it has drained"},
      {"Deployment", "attendant", container + "/livenessProbe/grpc/service", "", "depends on models"},
      {"Deployment", "attendant", container + "/readinessProbe/grpc/service", "attendant",
       "no service attendant"},
      {"Deployment", "attendant", container + "/ports/0/containerPort", 8501, "does not name port 8500"},
      map(config + "queue: 1", "queue"),
      map(config + "scheduler { max_queue: 0 }", "max_queue"),
      map("listen_address: '127.0.0.1:8500'", "reached by nothing"),
      map(config + "models_dir: '/srv'", "mounted at /srv"),
      map(config + "models_dir: '/models' lifecycle { drain_grace_ms: 10000 drain_timeout_ms: 50000 }",
          "killed before"),
  };
  for (const Change& change : changes) {
    EXPECT_THAT(ServerProblems(Changed(change)), Contains(HasSubstr(change.problem)))
        << change.kind << change.pointer << change.value;
  }
  const Change enough =
      map(config + "models_dir: '/models' lifecycle { drain_grace_ms: 10000 drain_timeout_ms: 49999 }", "");
  EXPECT_THAT(ServerProblems(Changed(enough)), IsEmpty());
}

TEST(ManifestTest, ClusterHasTheRulesOfCompose) {
  const json file = ReadManifests(DeployDir() / "compose/prometheus/rules/attendant.rules.yml").at(0);
  const Manifests base = ReadKustomizeBase(DeployDir() / "kubernetes/base");
  EXPECT_EQ(Find(base, "PrometheusRule", "attendant")->at("spec"), file);
}

// The chart makes the same objects as the base, but for its names, its labels and the configuration's name.
TEST(ManifestTest, ChartIsWhatTheBaseIs) {
  const Manifests base = ReadKustomizeBase(DeployDir() / "kubernetes/base");
  const Manifests chart = ReadManifests(DeployDir() / "helm/rendered.yaml");
  EXPECT_EQ(base.size(), chart.size());
  for (const json& expected : base) {
    const json* rendered = Find(chart, KindOf(expected), NameOf(expected));
    ASSERT_NE(rendered, nullptr) << KindOf(expected) << " " << NameOf(expected);
    json actual = *rendered;
    if (KindOf(expected) == "Deployment") {
      EXPECT_EQ(actual["spec"]["template"]["spec"]["containers"][0]["image"], "attendant:latest");
      actual["spec"]["template"]["spec"]["containers"][0]["image"] = "attendant";
      actual["spec"]["template"]["metadata"] = expected["spec"]["template"]["metadata"];
    }
    for (const char* part : {"spec", "data", "automountServiceAccountToken"}) {
      EXPECT_EQ(json::diff(expected.value(part, json()), actual.value(part, json())), json::array())
          << KindOf(expected);
    }
  }
}

}  // namespace
}  // namespace attendant
