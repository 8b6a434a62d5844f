#include "engine/base/cpu_budget.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

constexpr char kDefaultPeriodUs[] = "100000";

// First line of a small file, or nothing.
std::optional<std::string> ReadLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<double> Ratio(const std::string& quota, const std::string& period) {
  int64_t quota_us = 0;
  int64_t period_us = 0;
  if (!absl::SimpleAtoi(quota, &quota_us) || !absl::SimpleAtoi(period, &period_us)) return std::nullopt;
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;  // Version 1 says "no limit" with -1.
  return static_cast<double>(quota_us) / static_cast<double>(period_us);
}

// "150000 100000" or "max 100000".
std::optional<double> QuotaV2(const fs::path& group) {
  const std::optional<std::string> line = ReadLine(group / "cpu.max");
  if (!line) return std::nullopt;
  const std::vector<std::string> fields = absl::StrSplit(*line, ' ', absl::SkipWhitespace());
  if (fields.size() == 1) return Ratio(fields[0], kDefaultPeriodUs);
  if (fields.size() != 2) return std::nullopt;
  return Ratio(fields[0], fields[1]);
}

std::optional<double> QuotaV1(const fs::path& group) {
  const std::optional<std::string> quota = ReadLine(group / "cpu.cfs_quota_us");
  const std::optional<std::string> period = ReadLine(group / "cpu.cfs_period_us");
  if (!quota || !period) return std::nullopt;
  return Ratio(*quota, *period);
}

void Tighten(std::optional<double>& quota, std::optional<double> other) {
  if (other && (!quota || *other < *quota)) quota = other;
}

// The groups from `path` (as /proc/self/cgroup names it) up to the mount point. A container without a cgroup
// namespace sees the host's path but only its own group, mounted at the top: the levels in between do not
// exist and are skipped.
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
  bool v2 = false;
  std::string path;
};

std::optional<Membership> ParseMembership(const std::string& line) {
  const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
  if (fields.size() != 3) return std::nullopt;
  if (fields[0] == "0" && fields[1].empty()) return Membership{.v2 = true, .path = fields[2]};
  const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
  if (std::find(controllers.begin(), controllers.end(), "cpu") == controllers.end()) return std::nullopt;
  return Membership{.v2 = false, .path = fields[2]};
}

}  // namespace

std::vector<int> AffinityCpus() {
  std::vector<int> cpus;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &mask)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

std::optional<double> CgroupQuotaCpus(const fs::path& root) {
  const fs::path cgroup = root / "sys/fs/cgroup";
  std::optional<double> quota;
  std::ifstream memberships(root / "proc/self/cgroup");
  for (std::string line; std::getline(memberships, line);) {
    const std::optional<Membership> membership = ParseMembership(line);
    if (!membership) continue;
    const std::vector<fs::path> mounts = membership->v2
                                             ? std::vector<fs::path>{cgroup, cgroup / "unified"}
                                             : std::vector<fs::path>{cgroup / "cpu", cgroup / "cpu,cpuacct"};
    for (const fs::path& mount : mounts) {
      for (const fs::path& group : GroupAndAncestors(mount, membership->path)) {
        Tighten(quota, membership->v2 ? QuotaV2(group) : QuotaV1(group));
      }
    }
  }
  return quota;
}

CpuBudget MakeCpuBudget(std::vector<int> cpu_ids, std::optional<double> quota_cpus) {
  CpuBudget budget;
  budget.num_cpus = std::max(1, static_cast<int>(cpu_ids.size()));
  if (quota_cpus && *quota_cpus < budget.num_cpus) {
    budget.num_cpus = std::max(1, static_cast<int>(std::ceil(*quota_cpus)));
  }
  budget.cpu_ids = std::move(cpu_ids);
  budget.quota_cpus = quota_cpus;
  return budget;
}

CpuBudget DetectCpuBudget(const fs::path& root) {
  return MakeCpuBudget(AffinityCpus(), CgroupQuotaCpus(root));
}

}  // namespace attendant
