#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/server_config.pb.h"

namespace attendant {

// One version of a model, on disk.
struct VersionDirectory {
  int64_t version = 0;  // 0: the model has no numbered versions.
  std::filesystem::path path;
  uint64_t fingerprint = 0;  // Another one when a file of it was added, removed or changed. Of this process.
};

// A model's directory: the model itself (a config.json lies in it), or sub-directories that are called by a
// number from 1 on and have one each.
struct ModelDirectory {
  std::vector<VersionDirectory> versions;  // By number; at least one.
  config::ModelConfig serving;  // serving.textproto, without name and path; empty if there is none.
  uint64_t fingerprint = 0;     // Of all of it.
};

// How the model is served, beside it: a ModelConfig without name and path.
inline constexpr char kServingFile[] = "serving.textproto";

// Reads a model's directory. Links are followed, but not out of root. Errors: NOT_FOUND no model there;
// FAILED_PRECONDITION it leads out of root, or cannot be read; INVALID_ARGUMENT its serving.textproto is
// wrong.
absl::StatusOr<ModelDirectory> ReadModelDirectory(const std::filesystem::path& dir,
                                                  const std::filesystem::path& root);

// The names of what looks like a model in a repository, sorted. Other directories, and names that no model
// can have, are passed over. Errors: FAILED_PRECONDITION the repository cannot be read.
absl::StatusOr<std::vector<std::string>> ListModelDirectories(const std::filesystem::path& root);

// Which of the versions a policy serves. Both sorted.
std::vector<int64_t> SelectVersions(const config::VersionPolicy& policy, absl::Span<const int64_t> available);

}  // namespace attendant
