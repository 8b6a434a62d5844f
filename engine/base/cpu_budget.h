#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace attendant {

// How much CPU this process may use, in a container or out of one.
struct CpuBudget {
  int num_cpus = 1;          // Threads worth running: the smaller of the two below. At least 1.
  std::vector<int> cpu_ids;  // Affinity mask of the process, ascending. Never empty.
  std::optional<double>
      quota_cpus;  // Tightest cgroup quota in CPUs (1.5: 150 ms in every 100 ms); none: unlimited.
};

// The budget of this process. root: where /proc and /sys are found.
CpuBudget DetectCpuBudget(const std::filesystem::path& root = "/");

// The budget that a mask and a quota make: quota_cpus is rounded up, since a thread more uses what is left of
// the quota and a thread fewer would waste it.
CpuBudget MakeCpuBudget(std::vector<int> cpu_ids, std::optional<double> quota_cpus);

// CPUs of this process's affinity mask, ascending; {0} if the kernel does not tell.
std::vector<int> AffinityCpus();

// Tightest quota among this process's cgroup and its ancestors, as far as they are visible below
// root/sys/fs/cgroup: version 2 (cpu.max) and version 1 (cpu.cfs_quota_us, cpu.cfs_period_us). A file that is
// missing or malformed counts as no limit, because a server with too many threads is better than none.
// Source: Linux Documentation/admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst.
std::optional<double> CgroupQuotaCpus(const std::filesystem::path& root);

}  // namespace attendant
