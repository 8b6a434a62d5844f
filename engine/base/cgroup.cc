#include "engine/base/cgroup.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

// The groups from `path` (as /proc/self/cgroup names it) up to the mount point.
std::vector<fs::path> GroupAndAncestors(const fs::path& mount, const std::string& path) {
  std::vector<fs::path> groups = {mount};
  const std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  for (const std::string& part : parts) {
    if (part == "." || part == "..") continue;
    groups.push_back(groups.back() / part);
  }
  return groups;
}

// One line of /proc/self/cgroup: hierarchy id, its controllers, the group of this process.
struct Membership {
  bool is_v2 = false;
  std::string controllers;
  std::string path;
};

std::optional<Membership> ParseMembership(const std::string& line, absl::string_view controller) {
  const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
  if (fields.size() != 3) return std::nullopt;
  if (fields[0] == "0" && fields[1].empty()) return Membership{true, "", fields[2]};
  const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
  if (std::find(controllers.begin(), controllers.end(), controller) == controllers.end()) return std::nullopt;
  return Membership{false, fields[1], fields[2]};
}

std::vector<fs::path> MountsOf(const fs::path& cgroup, const Membership& membership,
                               absl::string_view controller) {
  if (membership.is_v2) return {cgroup, cgroup / "unified"};
  std::vector<fs::path> mounts = {cgroup / std::string(controller)};
  if (membership.controllers != controller) mounts.push_back(cgroup / membership.controllers);
  return mounts;
}

}  // namespace

std::vector<Cgroup> OwnCgroups(const fs::path& root, absl::string_view controller) {
  std::vector<Cgroup> groups;
  std::ifstream memberships(root / "proc/self/cgroup");
  for (std::string line; std::getline(memberships, line);) {
    const std::optional<Membership> membership = ParseMembership(line, controller);
    if (!membership) continue;
    for (const fs::path& mount : MountsOf(root / "sys/fs/cgroup", *membership, controller)) {
      for (fs::path& group : GroupAndAncestors(mount, membership->path)) {
        groups.push_back({membership->is_v2, std::move(group)});
      }
    }
  }
  return groups;
}

std::optional<std::string> ReadFirstLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

}  // namespace attendant
