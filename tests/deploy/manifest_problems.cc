#include "tests/deploy/manifest_problems.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

using nlohmann::json;
using Problems = std::vector<std::string>;

bool IsSubset(const json& part, const json& whole) {
  if (!part.is_object() || part.empty() || !whole.is_object()) return false;
  return std::all_of(part.items().begin(), part.items().end(), [&](const auto& item) {
    return whole.contains(item.key()) && whole[item.key()] == item.value();
  });
}

const json& PodLabels(const json& deployment) {
  return At(deployment, "/spec/template/metadata/labels");
}
const json& Containers(const json& deployment) {
  return At(deployment, "/spec/template/spec/containers");
}

// Whether an element of a list has the field with this value.
bool HasWith(const json& list, const char* field, const json& value) {
  return std::any_of(list.begin(), list.end(),
                     [&](const json& item) { return item.value(field, json()) == value; });
}

bool HasContainerPort(const json& deployment, const json& port) {
  const json& containers = Containers(deployment);
  return std::any_of(containers.begin(), containers.end(), [&](const json& container) {
    return HasWith(At(container, "/ports"), port.is_string() ? "name" : "containerPort", port);
  });
}

// The deployment that a selector chooses; null if none.
const json* Selected(const Manifests& manifests, const json& selector) {
  for (const json* deployment : OfKind(manifests, "Deployment")) {
    if (IsSubset(selector, PodLabels(*deployment))) return deployment;
  }
  return nullptr;
}

class Links {
 public:
  Links(const Manifests& manifests, const std::set<std::string>& secrets)
      : manifests_(manifests), secrets_(secrets) {}

  Problems Find() {
    for (const json& object : manifests_) CheckObject(object);
    return std::move(problems_);
  }

 private:
  void Require(bool is_right, const json& object, const std::string& what) {
    if (!is_right) problems_.push_back(absl::StrCat(KindOf(object), " ", NameOf(object), ": ", what));
  }

  void CheckObject(const json& object) {
    const std::string kind = KindOf(object);
    if (kind == "Deployment") CheckDeployment(object);
    if (kind == "Service") CheckService(object);
    if (kind == "ServiceMonitor") CheckServiceMonitor(object);
    if (kind == "PodDisruptionBudget") CheckSelector(object, At(object, "/spec/selector/matchLabels"));
    if (kind == "NetworkPolicy") CheckNetworkPolicy(object);
    if (kind == "HorizontalPodAutoscaler") CheckAutoscaler(object);
  }

  void CheckSelector(const json& object, const json& selector) {
    Require(Selected(manifests_, selector) != nullptr, object, "selects no pods: " + selector.dump());
  }

  void CheckService(const json& service) {
    const json* deployment = Selected(manifests_, At(service, "/spec/selector"));
    Require(deployment != nullptr, service, "selects no pods");
    if (deployment == nullptr) return;
    for (const json& port : At(service, "/spec/ports")) {
      Require(HasContainerPort(*deployment, port.value("targetPort", port.value("port", json()))), service,
              "no container has the port " + port.dump());
    }
  }

  void CheckServiceMonitor(const json& monitor) {
    const json& selector = At(monitor, "/spec/selector/matchLabels");
    std::vector<const json*> services;
    for (const json* service : OfKind(manifests_, "Service")) {
      if (IsSubset(selector, At(*service, "/metadata/labels"))) services.push_back(service);
    }
    Require(services.size() == 1, monitor,
            absl::StrCat("selects ", services.size(), " Services; with more each pod is scraped twice"));
    for (const json* service : services) {
      const json& labels = At(*service, "/metadata/labels");
      Require(labels.value(monitor["spec"].value("jobLabel", ""), "") == "attendant", monitor,
              "the job is not attendant, as the rules have it");
      for (const json& endpoint : At(monitor, "/spec/endpoints")) {
        Require(HasWith(At(*service, "/spec/ports"), "name", endpoint.value("port", json())), monitor,
                "the Service has no such port");
      }
    }
  }

  void CheckNetworkPolicy(const json& policy) {
    const json& selector = At(policy, "/spec/podSelector/matchLabels");
    CheckSelector(policy, selector);
    const json* deployment = Selected(manifests_, selector);
    if (deployment == nullptr) return;
    for (const json& rule : At(policy, "/spec/ingress")) {
      for (const json& port : rule.value("ports", json::array())) {
        Require(HasContainerPort(*deployment, port.value("port", json())), policy,
                "no container has the port " + port.dump());
      }
    }
  }

  void CheckAutoscaler(const json& autoscaler) {
    const json& target = At(autoscaler, "/spec/scaleTargetRef");
    const json* deployment = attendant::Find(manifests_, TextAt(target, "/kind"), TextAt(target, "/name"));
    Require(deployment != nullptr, autoscaler, "scales what there is not");
    if (deployment == nullptr) return;
    Require(At(*deployment, "/spec/replicas").is_null(), *deployment,
            "sets replicas, which are the autoscaler's");
    Require(At(autoscaler, "/spec/minReplicas") >= 2, autoscaler, "one replica is none while its node goes");
  }

  void CheckDeployment(const json& deployment) {
    const json& pod = At(deployment, "/spec/template/spec");
    Require(IsSubset(At(deployment, "/spec/selector/matchLabels"), PodLabels(deployment)), deployment,
            "does not select its own pods");
    for (const json& spread : pod.value("topologySpreadConstraints", json::array())) {
      Require(IsSubset(At(spread, "/labelSelector/matchLabels"), PodLabels(deployment)), deployment,
              "spreads other pods");
    }
    Require(attendant::Find(manifests_, "ServiceAccount", pod.value("serviceAccountName", "")) != nullptr,
            deployment, "has no ServiceAccount");
    Require(pod.value("automountServiceAccountToken", true) == false, deployment,
            "mounts a token that nothing needs");
    Require(At(pod, "/securityContext/runAsNonRoot") == true, deployment, "may run as root");
    Require(At(pod, "/securityContext/runAsUser") == 65532, deployment, "does not run as the image's user");
    Require(At(pod, "/securityContext/seccompProfile/type") == "RuntimeDefault", deployment,
            "has no seccomp profile");
    CheckVolumes(deployment, pod);
    for (const json& container : At(pod, "/containers")) CheckContainer(deployment, pod, container);
  }

  void CheckVolumes(const json& deployment, const json& pod) {
    for (const json& volume : pod.value("volumes", json::array())) {
      const std::string name = volume.value("name", "");
      const std::string map = TextAt(volume, "/configMap/name"),
                        secret = TextAt(volume, "/secret/secretName"),
                        claim = TextAt(volume, "/persistentVolumeClaim/claimName");
      Require(map.empty() || attendant::Find(manifests_, "ConfigMap", map), deployment,
              "there is no ConfigMap " + map);
      Require(secret.empty() || secrets_.count(secret) > 0 || attendant::Find(manifests_, "Secret", secret),
              deployment, "there is no Secret " + secret);
      Require(claim.empty() || attendant::Find(manifests_, "PersistentVolumeClaim", claim), deployment,
              "there is no claim " + claim);
      const json& containers = Containers(deployment);
      Require(std::any_of(containers.begin(), containers.end(),
                          [&](const json& container) {
                            return HasWith(At(container, "/volumeMounts"), "name", name);
                          }),
              deployment, "nothing mounts the volume " + name);
    }
  }

  void CheckContainer(const json& deployment, const json& pod, const json& container) {
    std::set<std::string> paths;
    for (const json& mount : container.value("volumeMounts", json::array())) {
      Require(HasWith(At(pod, "/volumes"), "name", mount.at("name")), deployment,
              "there is no volume " + mount.at("name").dump());
      Require(paths.insert(mount.at("mountPath")).second, deployment,
              "two volumes at " + mount.at("mountPath").dump());
    }
    const json& security = At(container, "/securityContext");
    Require(At(security, "/readOnlyRootFilesystem") == true, deployment,
            "the root file system can be written");
    Require(At(security, "/allowPrivilegeEscalation") == false, deployment, "may gain rights");
    Require(At(security, "/capabilities/drop") == json{"ALL"}, deployment, "keeps capabilities");
    CheckResources(deployment, container);
    for (const char* probe : {"startupProbe", "livenessProbe", "readinessProbe"}) {
      Require(container.contains(probe), deployment, absl::StrCat("has no ", probe));
      for (const char* kind : {"grpc", "tcpSocket", "httpGet"}) {
        const json& port = At(container, absl::StrCat("/", probe, "/", kind, "/port"));
        Require(port.is_null() || HasContainerPort(deployment, port), deployment,
                absl::StrCat(probe, " asks a port that there is not"));
      }
    }
  }

  void CheckResources(const json& deployment, const json& container) {
    const json& limits = At(container, "/resources/limits");
    const std::string cpu = TextAt(limits, "/cpu");
    Require(!cpu.empty() && std::all_of(cpu.begin(), cpu.end(), [](char c) { return c >= '0' && c <= '9'; }),
            deployment, "the CPU limit is not in whole cores");
    Require(limits.contains("memory"), deployment, "has no memory limit");
    Require(At(container, "/resources/requests") == limits, deployment, "requests are not the limits");
  }

  const Manifests& manifests_;
  const std::set<std::string>& secrets_;
  Problems problems_;
};

}  // namespace

Problems LinkProblems(const Manifests& manifests, const std::set<std::string>& external_secrets) {
  return Links(manifests, external_secrets).Find();
}

}  // namespace attendant
