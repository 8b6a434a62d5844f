#include "engine/base/cpu_budget.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <string>

namespace attendant {
namespace {

namespace fs = std::filesystem;

// A made-up /proc and /sys on disk.
class CpuBudgetTest : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / (std::string("cpu_budget_") + test.name());
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::optional<double> Quota() { return CgroupQuotaCpus(root_); }

  fs::path root_;
};

TEST_F(CpuBudgetTest, NoFilesMeanNoQuota) {
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuBudgetTest, V2InANamespaceReadsTheMountPoint) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(Quota(), 1.5);
}

TEST_F(CpuBudgetTest, V2MaxIsNoQuota) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuBudgetTest, V2NestedGroupsTakeTheTightestAncestor) {
  Write("proc/self/cgroup", "0::/kubepods/pod7/box\n");
  Write("sys/fs/cgroup/kubepods/cpu.max", "800000 100000\n");
  Write("sys/fs/cgroup/kubepods/pod7/cpu.max", "200000 100000\n");
  Write("sys/fs/cgroup/kubepods/pod7/box/cpu.max", "max 100000\n");
  EXPECT_EQ(Quota(), 2.0);
  Write("sys/fs/cgroup/kubepods/pod7/box/cpu.max", "25000 50000\n");
  EXPECT_EQ(Quota(), 0.5);
}

TEST_F(CpuBudgetTest, SiblingsDoNotCount) {
  Write("proc/self/cgroup", "0::/a\n");
  Write("sys/fs/cgroup/a/cpu.max", "400000 100000\n");
  Write("sys/fs/cgroup/b/cpu.max", "100000 100000\n");
  EXPECT_EQ(Quota(), 4.0);
}

TEST_F(CpuBudgetTest, V2PathAboveTheNamespaceIsReadBelowTheMountOnly) {
  Write("proc/self/cgroup", "0::/../../outside\n");
  Write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  Write("cpu.max", "100000 100000\n");
  Write("sys/outside/cpu.max", "100000 100000\n");
  EXPECT_EQ(Quota(), 3.0);
}

TEST_F(CpuBudgetTest, V1ReadsQuotaAndPeriod) {
  Write("proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n");
  Write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "250000\n");
  Write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 2.5);
}

TEST_F(CpuBudgetTest, V1WithoutNamespaceFallsBackToTheMountPoint) {
  Write("proc/self/cgroup", "4:cpuacct,cpu:/docker/abc\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 1.0);
}

TEST_F(CpuBudgetTest, V1MinusOneIsNoQuota) {
  Write("proc/self/cgroup", "4:cpu:/\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuBudgetTest, V1CpusetIsNotMistakenForCpu) {
  Write("proc/self/cgroup", "4:cpuset:/\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuBudgetTest, HybridTakesTheTighterOfBoth) {
  Write("proc/self/cgroup", "4:cpu:/\n0::/u\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  Write("sys/fs/cgroup/unified/u/cpu.max", "300000 100000\n");
  EXPECT_EQ(Quota(), 3.0);
}

TEST_F(CpuBudgetTest, MalformedFilesCountAsNoLimit) {
  Write("proc/self/cgroup", "garbage\n\n:::\n0::/a\n");
  for (const char* text : {"", "\n", "x y\n", "100000 0\n", "0 100000\n", "-5 100000\n", "100000 100000 9\n",
                           "99999999999999999999 100000\n", "1e5 100000\n"}) {
    Write("sys/fs/cgroup/a/cpu.max", text);
    EXPECT_EQ(Quota(), std::nullopt) << text;
  }
  Write("sys/fs/cgroup/a/cpu.max", "200000\n");  // The kernel's default period of 100 ms.
  EXPECT_EQ(Quota(), 2.0);
}

TEST_F(CpuBudgetTest, BudgetIsTheSmallerOfMaskAndQuotaRoundedUp) {
  EXPECT_EQ(MakeCpuBudget({0, 1, 2, 3}, std::nullopt).num_cpus, 4);
  EXPECT_EQ(MakeCpuBudget({0, 1, 2, 3}, 2.0).num_cpus, 2);
  EXPECT_EQ(MakeCpuBudget({0, 1, 2, 3}, 2.01).num_cpus, 3);
  EXPECT_EQ(MakeCpuBudget({0, 1, 2, 3}, 0.1).num_cpus, 1);
  EXPECT_EQ(MakeCpuBudget({0, 1}, 64.0).num_cpus, 2);
  EXPECT_EQ(MakeCpuBudget({0, 1}, 1e300).num_cpus, 2);
  EXPECT_EQ(MakeCpuBudget({3}, std::nullopt).cpu_ids, std::vector<int>({3}));
}

TEST_F(CpuBudgetTest, DetectCombinesTheMaskOfThisProcessWithTheQuota) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  const CpuBudget budget = DetectCpuBudget(root_);
  EXPECT_EQ(budget.num_cpus, 1);
  EXPECT_EQ(budget.cpu_ids, AffinityCpus());
  EXPECT_FALSE(budget.cpu_ids.empty());
  EXPECT_GE(DetectCpuBudget().num_cpus, 1);
}

}  // namespace
}  // namespace attendant
