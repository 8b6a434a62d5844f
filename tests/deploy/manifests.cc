#include "tests/deploy/manifests.h"

#include <stdexcept>

#include "tests/deploy/yaml_json.h"

namespace attendant {
namespace {

using nlohmann::json;

// What kustomize makes of a configMapGenerator, but for the hash in the name.
json GeneratedConfigMap(const std::filesystem::path& dir, const json& generator) {
  json data = json::object();
  for (const std::string file : generator.at("files")) data[file] = ReadText(dir / file).value();
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", generator.at("name")}}},
          {"data", data}};
}

}  // namespace

std::filesystem::path DeployDir() {
  return ATTENDANT_SOURCE_DIR "/deploy";
}

Manifests ReadManifests(const std::filesystem::path& file) {
  auto documents = ReadYaml(file);
  if (!documents.ok()) throw std::runtime_error(std::string(documents.status().message()));
  return *std::move(documents);
}

Manifests ReadKustomizeBase(const std::filesystem::path& dir) {
  const json kustomization = ReadManifests(dir / "kustomization.yaml").at(0);
  Manifests result;
  for (const std::string resource : kustomization.at("resources")) {
    for (json& object : ReadManifests(dir / resource)) result.push_back(std::move(object));
  }
  for (const json& generator : kustomization.value("configMapGenerator", json::array())) {
    result.push_back(GeneratedConfigMap(dir, generator));
  }
  return result;
}

std::vector<std::pair<std::string, Manifests>> AllManifests() {
  const std::filesystem::path dir = DeployDir();
  return {
      {"kubernetes/base", ReadKustomizeBase(dir / "kubernetes/base")},
      {"kubernetes/rendered/minimal.yaml", ReadManifests(dir / "kubernetes/rendered/minimal.yaml")},
      {"kubernetes/rendered/production.yaml", ReadManifests(dir / "kubernetes/rendered/production.yaml")},
      {"helm/rendered.yaml", ReadManifests(dir / "helm/rendered.yaml")},
      {"kserve/runtime.yaml", ReadManifests(dir / "kserve/runtime.yaml")},
      {"kserve/example.yaml", ReadManifests(dir / "kserve/example.yaml")},
  };
}

const json& At(const json& value, const std::string& pointer) {
  static const json null;
  const json::json_pointer path(pointer);
  return value.contains(path) ? value.at(path) : null;
}

std::string TextAt(const json& value, const std::string& pointer) {
  const json& text = At(value, pointer);
  return text.is_string() ? text.get<std::string>() : "";
}

std::string KindOf(const json& object) {
  return object.value("kind", "");
}
std::string NameOf(const json& object) {
  return TextAt(object, "/metadata/name");
}

std::vector<const json*> OfKind(const Manifests& manifests, const std::string& kind) {
  std::vector<const json*> result;
  for (const json& object : manifests) {
    if (KindOf(object) == kind) result.push_back(&object);
  }
  return result;
}

const json* Find(const Manifests& manifests, const std::string& kind, const std::string& name) {
  for (const json* object : OfKind(manifests, kind)) {
    if (NameOf(*object) == name) return object;
  }
  return nullptr;
}

}  // namespace attendant
