#include "engine/base/memory_budget.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "engine/base/cgroup.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

std::optional<int64_t> ReadNumber(const fs::path& path) {
  const std::optional<std::string> line = ReadFirstLine(path);
  int64_t value = 0;
  if (!line || !absl::SimpleAtoi(*line, &value)) return std::nullopt;  // Such as "max".
  return value;
}

// The value of a line "key 123" or "key: 123 kB", in the file's own unit.
std::optional<int64_t> ReadKey(const fs::path& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  for (std::string line; file >> word; std::getline(file, line)) {
    int64_t value = 0;
    if (word == key && file >> value) return value;
  }
  return std::nullopt;
}

std::optional<int64_t> Smaller(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::optional<MemoryUse> UseOf(const Cgroup& group) {
  const fs::path& dir = group.dir;
  const auto limit = group.is_v2 ? Smaller(ReadNumber(dir / "memory.max"), ReadNumber(dir / "memory.high"))
                                 : ReadNumber(dir / "memory.limit_in_bytes");
  const auto used = ReadNumber(dir / (group.is_v2 ? "memory.current" : "memory.usage_in_bytes"));
  if (!limit || !used || *limit <= 0) return std::nullopt;
  const char* const key = group.is_v2 ? "inactive_file" : "total_inactive_file";
  const int64_t cache = ReadKey(dir / "memory.stat", key).value_or(0);
  return MemoryUse{std::max<int64_t>(0, *used - cache), *limit};
}

std::optional<MemoryUse> UseOfMachine(const fs::path& root) {
  constexpr int64_t kKiB = 1024;
  const auto total = ReadKey(root / "proc/meminfo", "MemTotal:");
  const auto available = ReadKey(root / "proc/meminfo", "MemAvailable:");
  if (!total || !available || *total <= 0) return std::nullopt;
  return MemoryUse{(*total - *available) * kKiB, *total * kKiB};
}

}  // namespace

std::optional<MemoryUse> CurrentMemoryUse(const fs::path& root) {
  const std::optional<MemoryUse> machine = UseOfMachine(root);
  const int64_t most = machine ? machine->limit_bytes : std::numeric_limits<int64_t>::max();
  std::optional<MemoryUse> fullest;
  for (const Cgroup& group : OwnCgroups(root, "memory")) {
    const std::optional<MemoryUse> use = UseOf(group);
    if (!use || use->limit_bytes >= most) continue;  // Version 1 says "no limit" with a large number.
    if (!fullest || use->fraction() > fullest->fraction()) fullest = use;
  }
  return fullest ? fullest : machine;
}

}  // namespace attendant
