#include "server/repository/model_directory.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/configuration.h"
#include "server/model_name.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 3;       // Of directories within a version: sentence-transformers has one.
constexpr int kMaxEntries = 4096;  // Of one version.

absl::Status CannotRead(const fs::path& path, const std::error_code& error) {
  return absl::FailedPreconditionError(absl::StrCat(path.string(), ": ", error.message()));
}

// The directory with its links followed, if that is within root.
absl::StatusOr<fs::path> Within(const fs::path& dir, const fs::path& root) {
  std::error_code error;
  const fs::path real_root = fs::canonical(root, error);
  if (error) return CannotRead(root, error);
  const fs::path real = fs::canonical(dir, error);
  if (error == std::errc::no_such_file_or_directory) {
    return absl::NotFoundError(absl::StrCat(dir.string(), ": there is no such directory"));
  }
  if (error) return CannotRead(dir, error);
  const auto differ = std::mismatch(real_root.begin(), real_root.end(), real.begin(), real.end());
  if (differ.first == real_root.end()) return real;
  return absl::FailedPreconditionError(
      absl::StrCat(dir.string(), ": leads out of ", root.string(), ", where models are to lie"));
}

bool HasModel(const fs::path& dir) {
  std::error_code error;
  return fs::is_regular_file(dir / "config.json", error);
}

std::optional<int64_t> VersionOf(const std::string& name) {
  int64_t version = 0;
  const bool is_number = !name.empty() && name.front() != '0' && name.front() != '+' &&
                         absl::SimpleAtoi(name, &version) && version > 0;
  return is_number ? std::optional(version) : std::nullopt;
}

// Names, sizes, times and i-nodes of files, folded into one number.
class Fingerprint {
 public:
  absl::Status AddTree(const fs::path& dir, int depth) {
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
      entries.push_back(it->path());
      if (++entries_ > kMaxEntries) {
        return absl::FailedPreconditionError(
            absl::StrCat(dir.string(), ": more than ", kMaxEntries, " files are no model"));
      }
    }
    if (error) return CannotRead(dir, error);
    std::sort(entries.begin(), entries.end());
    for (const fs::path& entry : entries) {
      if (!fs::is_directory(entry, error)) {
        AddFile(entry);
      } else if (depth < kMaxDepth) {
        ATTENDANT_RETURN_IF_ERROR(AddTree(entry, depth + 1));
      }
    }
    return absl::OkStatus();
  }
  void AddFile(const fs::path& file) {
    std::error_code error;
    const uintmax_t size = fs::file_size(file, error);
    const auto time = fs::last_write_time(file, error).time_since_epoch().count();
    // With links followed: a link that is turned to another file of the same age and size is a change.
    const std::string real = fs::canonical(file, error);
    Add(absl::HashOf(file.string(), size, time, real));
  }
  void Add(uint64_t more) { value_ = absl::HashOf(value_, more); }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0;
  int entries_ = 0;
};

absl::StatusOr<VersionDirectory> ReadVersion(int64_t version, const fs::path& dir, const fs::path& root) {
  VersionDirectory result;
  result.version = version;
  ATTENDANT_ASSIGN_OR_RETURN(result.path, Within(dir, root));
  Fingerprint fingerprint;
  ATTENDANT_RETURN_IF_ERROR(fingerprint.AddTree(result.path, 1));
  fingerprint.Add(absl::HashOf(result.path.string()));
  result.fingerprint = fingerprint.value();
  return result;
}

absl::StatusOr<std::vector<VersionDirectory>> ReadVersions(const fs::path& dir, const fs::path& root) {
  std::vector<VersionDirectory> versions;
  if (HasModel(dir)) {
    ATTENDANT_ASSIGN_OR_RETURN(VersionDirectory only, ReadVersion(0, dir, root));
    versions.push_back(std::move(only));
    return versions;
  }
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    const std::optional<int64_t> version = VersionOf(it->path().filename());
    if (!version.has_value() || !HasModel(it->path())) continue;
    ATTENDANT_ASSIGN_OR_RETURN(VersionDirectory found, ReadVersion(*version, it->path(), root));
    versions.push_back(std::move(found));
  }
  if (error) return CannotRead(dir, error);
  std::sort(versions.begin(), versions.end(),
            [](const auto& a, const auto& b) { return a.version < b.version; });
  return versions;
}

}  // namespace

absl::StatusOr<ModelDirectory> ReadModelDirectory(const fs::path& dir, const fs::path& root) {
  ATTENDANT_ASSIGN_OR_RETURN(const fs::path real, Within(dir, root));
  ModelDirectory result;
  ATTENDANT_ASSIGN_OR_RETURN(result.versions, ReadVersions(real, root));
  if (result.versions.empty()) {
    return absl::NotFoundError(
        absl::StrCat(dir.string(), ": has no config.json, nor a version (1, 2, ...) that has one"));
  }
  Fingerprint fingerprint;
  for (const VersionDirectory& version : result.versions) {
    fingerprint.Add(absl::HashOf(version.version, version.fingerprint));
  }
  std::error_code error;
  if (const fs::path serving = real / kServingFile; fs::exists(serving, error)) {
    fingerprint.AddFile(serving);
    ATTENDANT_ASSIGN_OR_RETURN(result.serving, ReadServingFile(serving));
  }
  result.fingerprint = fingerprint.value();
  return result;
}

absl::StatusOr<std::vector<std::string>> ListModelDirectories(const fs::path& root) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (!CheckModelName(name).ok()) continue;
    if (ReadModelDirectory(it->path(), root).status().code() == absl::StatusCode::kNotFound) continue;
    names.push_back(name);
  }
  if (error) return CannotRead(root, error);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<int64_t> SelectVersions(const config::VersionPolicy& policy,
                                    absl::Span<const int64_t> available) {
  std::vector<int64_t> selected(available.begin(), available.end());
  if (policy.all()) return selected;
  if (!policy.version().empty()) {
    std::erase_if(selected, [&](int64_t version) {
      return std::find(policy.version().begin(), policy.version().end(), version) == policy.version().end();
    });
    return selected;
  }
  const auto latest = static_cast<size_t>(policy.latest());
  if (selected.size() > latest) selected.erase(selected.begin(), selected.end() - policy.latest());
  return selected;
}

}  // namespace attendant
