#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/configuration.h"
#include "server/settings.h"
#include "tests/deploy/manifest_problems.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using nlohmann::json;
using Problems = std::vector<std::string>;

// The services that Server::UpdateHealth sets.
const std::set<std::string>& HealthServices() {
  static const std::set<std::string> services = {
      "", "attendant.v1.ModelService", "attendant.v1.TranslationService", "attendant.v1.EmbeddingService",
      "attendant.v1.ClassificationService"};
  return services;
}

// The text that a pod finds at a path: of a ConfigMap that is mounted there.
absl::StatusOr<std::string> MountedText(const Manifests& manifests, const json& pod, const json& container,
                                        const std::string& path) {
  for (const json& mount : container.value("volumeMounts", json::array())) {
    const std::string dir = mount.value("mountPath", "") + "/";
    if (!absl::StartsWith(path, dir)) continue;
    for (const json& volume : pod.value("volumes", json::array())) {
      if (volume.at("name") != mount.at("name")) continue;
      const json* map = Find(manifests, "ConfigMap", TextAt(volume, "/configMap/name"));
      const std::string key = path.substr(dir.size());
      if (map != nullptr && At(*map, "/data").contains(key))
        return map->at("data").at(key).get<std::string>();
    }
  }
  return absl::NotFoundError(path + ": no ConfigMap has it");
}

void CheckFlags(const json& args, Problems& problems) {
  for (const std::string arg : args) {
    if (!absl::StartsWith(arg, "--")) continue;
    const std::string flag = std::vector<std::string>(absl::StrSplit(arg.substr(2), '='))[0];
    if (flag == "config" || flag == "models" || flag == "model" || FindSetting(flag) != nullptr) continue;
    problems.push_back("the server has no flag --" + flag);
  }
}

// The value of --name=value or --name value.
std::string FlagValue(const json& args, const std::string& name) {
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string arg = args[i];
    if (absl::StartsWith(arg, "--" + name + "=")) return arg.substr(name.size() + 3);
    if (arg == "--" + name && i + 1 < args.size()) return args[i + 1];
  }
  return "";
}

// As the server reads it: file, then flags; without looking for models, which only the cluster has.
absl::StatusOr<config::ServerConfig> ConfigOf(const Manifests& manifests, const json& pod,
                                              const json& container) {
  const json args = container.value("args", json::array());
  config::ServerConfig config;
  if (const std::string file = FlagValue(args, "config"); !file.empty()) {
    const absl::StatusOr<std::string> text = MountedText(manifests, pod, container, file);
    if (!text.ok()) return text.status();
    const TempDir dir;
    auto read = ReadConfigFile(dir.Write("server.txt", *text));
    if (!read.ok()) return read.status();
    config = *read;
  }
  for (const Setting& setting : AllSettings()) {
    const std::string flag(setting.flag);
    if (IsSwitch(setting)) {
      const auto is_it = [&](const json& arg) { return arg == "--" + flag; };
      if (std::any_of(args.begin(), args.end(), is_it)) SetFromText(setting, "true", config).IgnoreError();
    } else if (const std::string value = FlagValue(args, flag); !value.empty()) {
      if (const absl::Status status = SetFromText(setting, value, config); !status.ok()) return status;
    }
  }
  if (const std::string models = FlagValue(args, "models"); !models.empty()) config.set_models_dir(models);
  return config;
}

void CheckPort(const std::string& address, const json& container, Problems& problems) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) return problems.push_back(std::string(parsed.status().message()));
  if (parsed->is_loopback) problems.push_back(address + " is reached by nothing outside of the pod");
  const json& ports = At(container, "/ports");
  const auto is_it = [&](const json& port) { return port.value("containerPort", 0) == parsed->port; };
  if (std::none_of(ports.begin(), ports.end(), is_it))
    problems.push_back(absl::StrCat("the container does not name port ", parsed->port));
}

void CheckProbes(const json& container, Problems& problems) {
  for (const char* probe : {"startupProbe", "livenessProbe", "readinessProbe"}) {
    const json& grpc = At(container, absl::StrCat("/", probe, "/grpc"));
    if (grpc.is_null()) continue;
    const std::string service = grpc.value("service", "");
    if (HealthServices().count(service) == 0)
      problems.push_back(absl::StrCat(probe, ": the server has no service ", service));
    const bool depends_on_models = service != "attendant.v1.ModelService";
    if (probe != std::string("readinessProbe") && depends_on_models) {
      problems.push_back(absl::StrCat(probe, " depends on models: one that fails would restart the pod"));
    }
  }
}

// Models at models_dir come from a volume that is mounted there, or from the image, which has its own in
// /models.
void CheckModels(const config::ServerConfig& config, const json& container, Problems& problems) {
  // KServe names one model with --model.
  if (config.models_dir() == "/models" || !config.has_models_dir()) return;
  const json mounts = container.value("volumeMounts", json::array());
  const auto is_it = [&](const json& mount) {
    return config.models_dir() == mount.at("mountPath") ||
           absl::StartsWith(config.models_dir(), mount.at("mountPath").get<std::string>() + "/");
  };
  if (std::none_of(mounts.begin(), mounts.end(), is_it))
    problems.push_back("nothing is mounted at " + config.models_dir());
}

void CheckPod(const Manifests& manifests, const json& pod, const json& container, Problems& problems) {
  CheckFlags(container.value("args", json::array()), problems);
  const absl::StatusOr<config::ServerConfig> config = ConfigOf(manifests, pod, container);
  if (!config.ok()) return problems.push_back(std::string(config.status().message()));
  CheckPort(config->listen_address(), container, problems);
  CheckPort(config->metrics_address(), container, problems);
  CheckProbes(container, problems);
  CheckModels(*config, container, problems);
  const int64_t drain = config->lifecycle().drain_grace_ms() + config->lifecycle().drain_timeout_ms();
  constexpr int64_t kDefaultGraceSeconds = 30;
  if (1000 * pod.value("terminationGracePeriodSeconds", kDefaultGraceSeconds) <= drain) {
    problems.push_back(absl::StrCat("killed before it has drained, which may take ", drain, " ms"));
  }
}

}  // namespace

Problems ServerProblems(const Manifests& manifests) {
  Problems problems;
  for (const json* deployment : OfKind(manifests, "Deployment")) {
    const json& pod = At(*deployment, "/spec/template/spec");
    for (const json& container : At(pod, "/containers")) CheckPod(manifests, pod, container, problems);
  }
  for (const json* runtime : OfKind(manifests, "ClusterServingRuntime")) {
    const json& pod = At(*runtime, "/spec");
    for (const json& container : At(pod, "/containers")) CheckPod(manifests, pod, container, problems);
  }
  return problems;
}

}  // namespace attendant
