#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace attendant {

// The documents of a YAML text as JSON. Plain scalars become null, true, false and numbers as in YAML 1.2;
// merge keys ("<<") are followed. Errors: INVALID_ARGUMENT, also for a key that stands twice, and for a plain
// yes, no, on or off, which Kubernetes takes for a truth value and others for text.
absl::StatusOr<std::vector<nlohmann::json>> ParseYaml(const std::string& text);
// Of a file. Errors: NOT_FOUND, or those above with the file's name.
absl::StatusOr<std::vector<nlohmann::json>> ReadYaml(const std::filesystem::path& file);
absl::StatusOr<std::string> ReadText(const std::filesystem::path& file);

}  // namespace attendant
