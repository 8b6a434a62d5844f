#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace attendant {

// How much of the memory that this process may use is in use, by it and by whom it shares the limit with.
struct MemoryUse {
  int64_t used_bytes = 0;  // Without file cache that the kernel would give up first.
  int64_t limit_bytes = 0;

  double fraction() const { return static_cast<double>(used_bytes) / static_cast<double>(limit_bytes); }
};

// The fullest of this process's cgroup and its ancestors that have a limit below the machine's memory:
// version 2 (memory.current against memory.max and memory.high, whichever is less) and version 1
// (memory.usage_in_bytes, memory.limit_in_bytes), each without inactive_file. Without such a limit the whole
// machine, by MemAvailable of /proc/meminfo. Nothing if no file tells. root: where /proc and /sys are found.
// Source: Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst, filesystems/proc.rst.
std::optional<MemoryUse> CurrentMemoryUse(const std::filesystem::path& root = "/");

}  // namespace attendant
