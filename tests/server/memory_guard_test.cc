#include "server/memory_guard.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

class MemoryGuardTest : public testing::Test {
 protected:
  void SetUsed(int percent) {
    root_.Write("proc/self/cgroup", "0::/\n");
    root_.Write("sys/fs/cgroup/memory.max", "100\n");
    root_.Write("sys/fs/cgroup/memory.current", std::to_string(percent) + "\n");
  }
  static bool Becomes(const MemoryGuard& guard, bool is_high) {
    for (int i = 0; i < 1000 && guard.IsHigh() != is_high; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return guard.IsHigh() == is_high;
  }

  TempDir root_;
};

TEST_F(MemoryGuardTest, KnowsFromTheStart) {
  for (const int used : {89, 90, 91}) {
    SetUsed(used);
    EXPECT_EQ(MemoryGuard(90, root_.path()).IsHigh(), used >= 90) << used;
  }
}

TEST_F(MemoryGuardTest, FollowsWhatIsUsed) {
  SetUsed(10);
  const MemoryGuard guard(90, root_.path());
  EXPECT_FALSE(guard.IsHigh());
  SetUsed(95);
  EXPECT_TRUE(Becomes(guard, true));
  SetUsed(50);
  EXPECT_TRUE(Becomes(guard, false));
}

TEST_F(MemoryGuardTest, ZeroIsNever) {
  SetUsed(100);
  EXPECT_FALSE(MemoryGuard(0, root_.path()).IsHigh());
}

TEST_F(MemoryGuardTest, FilesThatAreGoneRefuseNothing) {
  const MemoryGuard guard(1, root_.path());
  EXPECT_FALSE(guard.IsHigh());
}

}  // namespace
}  // namespace attendant
