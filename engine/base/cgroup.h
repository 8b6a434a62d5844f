#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace attendant {

// One control group that this process is in, itself or an ancestor of its own.
struct Cgroup {
  bool is_v2 = false;
  std::filesystem::path dir;
};

// The groups that bound this process for a controller ("cpu", "memory"), as far as they are visible below
// root/sys/fs/cgroup. The directories need not exist: a container without a cgroup namespace sees the host's
// path but only its own group, mounted at the top.
// Source: Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/cgroups.rst, cgroups(7).
std::vector<Cgroup> OwnCgroups(const std::filesystem::path& root, absl::string_view controller);

// First line of a small file, or nothing.
std::optional<std::string> ReadFirstLine(const std::filesystem::path& path);

}  // namespace attendant
