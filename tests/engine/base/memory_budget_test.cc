#include "engine/base/memory_budget.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace attendant {
namespace {

namespace fs = std::filesystem;

// A made-up /proc and /sys on disk.
class MemoryBudgetTest : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / (std::string("memory_budget_") + test.name());
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void WriteMachine() {
    Write("proc/meminfo", "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    250 kB\n");
  }
  void ExpectUse(int64_t used, int64_t limit) {
    const std::optional<MemoryUse> use = CurrentMemoryUse(root_);
    ASSERT_TRUE(use.has_value());
    EXPECT_EQ(use->used_bytes, used);
    EXPECT_EQ(use->limit_bytes, limit);
  }

  fs::path root_;
};

TEST_F(MemoryBudgetTest, NoFilesTellNothing) {
  EXPECT_FALSE(CurrentMemoryUse(root_).has_value());
}

TEST_F(MemoryBudgetTest, WithoutALimitItIsTheMachines) {
  WriteMachine();
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "max\n");
  Write("sys/fs/cgroup/memory.current", "123\n");
  ExpectUse(750 * 1024, 1000 * 1024);
  EXPECT_DOUBLE_EQ(CurrentMemoryUse(root_)->fraction(), 0.75);
}

TEST_F(MemoryBudgetTest, V2SubtractsInactiveFiles) {
  WriteMachine();
  Write("proc/self/cgroup", "0::/box\n");
  Write("sys/fs/cgroup/box/memory.max", "1000\n");
  Write("sys/fs/cgroup/box/memory.high", "max\n");
  Write("sys/fs/cgroup/box/memory.current", "900\n");
  Write("sys/fs/cgroup/box/memory.stat", "anon 500\nfile 400\ninactive_file 300\nactive_file 100\n");
  ExpectUse(600, 1000);
}

TEST_F(MemoryBudgetTest, V2HighCountsWhereItIsLess) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "1000\n");
  Write("sys/fs/cgroup/memory.high", "800\n");
  Write("sys/fs/cgroup/memory.current", "400\n");
  ExpectUse(400, 800);
}

TEST_F(MemoryBudgetTest, FullestAncestorCounts) {
  Write("proc/self/cgroup", "0::/pod/box\n");
  Write("sys/fs/cgroup/pod/memory.max", "2000\n");
  Write("sys/fs/cgroup/pod/memory.current", "1900\n");
  Write("sys/fs/cgroup/pod/box/memory.max", "1000\n");
  Write("sys/fs/cgroup/pod/box/memory.current", "500\n");
  ExpectUse(1900, 2000);
}

TEST_F(MemoryBudgetTest, V1) {
  WriteMachine();
  Write("proc/self/cgroup", "4:memory:/box\n3:cpu:/other\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "999999999\n");
  Write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1000\n");
  Write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "700\n");
  Write("sys/fs/cgroup/memory/box/memory.stat", "inactive_file 5\ntotal_inactive_file 200\n");
  ExpectUse(500, 1000);
}

TEST_F(MemoryBudgetTest, MalformedFilesAreNoLimit) {
  WriteMachine();
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "1000x\n");
  Write("sys/fs/cgroup/memory.current", "\n");
  ExpectUse(750 * 1024, 1000 * 1024);
}

TEST_F(MemoryBudgetTest, ThisMachineTells) {
  const std::optional<MemoryUse> use = CurrentMemoryUse();
  ASSERT_TRUE(use.has_value());
  EXPECT_GT(use->used_bytes, 0);
  EXPECT_GT(use->limit_bytes, 0);
}

}  // namespace
}  // namespace attendant
