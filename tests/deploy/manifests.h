#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace attendant {

// Kubernetes objects that are applied together.
using Manifests = std::vector<nlohmann::json>;

// deploy/, and what is in it.
std::filesystem::path DeployDir();
// A file of objects.
Manifests ReadManifests(const std::filesystem::path& file);
// The objects that a kustomization's own files name, with a ConfigMap for each generator of one; overlays and
// patches are left to kustomize.
Manifests ReadKustomizeBase(const std::filesystem::path& dir);

// Every set of objects that deploy/ has, by name: the base as written, the overlays and the chart as
// rendered, KServe's.
std::vector<std::pair<std::string, Manifests>> AllManifests();

// The value at a JSON pointer, or null.
const nlohmann::json& At(const nlohmann::json& value, const std::string& pointer);
// The text at a JSON pointer, or "".
std::string TextAt(const nlohmann::json& value, const std::string& pointer);
std::string KindOf(const nlohmann::json& object);
std::string NameOf(const nlohmann::json& object);
std::vector<const nlohmann::json*> OfKind(const Manifests& manifests, const std::string& kind);
const nlohmann::json* Find(const Manifests& manifests, const std::string& kind, const std::string& name);

}  // namespace attendant
