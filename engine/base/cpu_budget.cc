#include "engine/base/cpu_budget.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "engine/base/cgroup.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

constexpr char kDefaultPeriodUs[] = "100000";

std::optional<double> Ratio(const std::string& quota, const std::string& period) {
  int64_t quota_us = 0;
  int64_t period_us = 0;
  if (!absl::SimpleAtoi(quota, &quota_us) || !absl::SimpleAtoi(period, &period_us)) return std::nullopt;
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;  // Version 1 says "no limit" with -1.
  return static_cast<double>(quota_us) / static_cast<double>(period_us);
}

// "150000 100000" or "max 100000".
std::optional<double> QuotaV2(const fs::path& group) {
  const std::optional<std::string> line = ReadFirstLine(group / "cpu.max");
  if (!line) return std::nullopt;
  const std::vector<std::string> fields = absl::StrSplit(*line, ' ', absl::SkipWhitespace());
  if (fields.size() == 1) return Ratio(fields[0], kDefaultPeriodUs);
  if (fields.size() != 2) return std::nullopt;
  return Ratio(fields[0], fields[1]);
}

std::optional<double> QuotaV1(const fs::path& group) {
  const std::optional<std::string> quota = ReadFirstLine(group / "cpu.cfs_quota_us");
  const std::optional<std::string> period = ReadFirstLine(group / "cpu.cfs_period_us");
  if (!quota || !period) return std::nullopt;
  return Ratio(*quota, *period);
}

void Tighten(std::optional<double>& quota, std::optional<double> other) {
  if (other && (!quota || *other < *quota)) quota = other;
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
  std::optional<double> quota;
  for (const Cgroup& group : OwnCgroups(root, "cpu")) {
    Tighten(quota, group.is_v2 ? QuotaV2(group.dir) : QuotaV1(group.dir));
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
