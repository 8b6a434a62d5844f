#include "engine/tensor/thread_team.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace attendant {
namespace {

TEST(WorkPartTest, PartsCoverAllRowsInOrderAndDifferByOneAtMost) {
  for (size_t count = 1; count <= 5; ++count) {
    for (size_t rows = 0; rows <= 2 * count + 1; ++rows) {
      size_t next = 0;
      for (size_t index = 0; index < count; ++index) {
        const RowRange range = WorkPart{index, count}.Of(rows);
        EXPECT_EQ(range.begin, next);
        EXPECT_GE(range.size(), rows / count);
        EXPECT_LE(range.size(), (rows + count - 1) / count);
        next = range.end;
      }
      EXPECT_EQ(next, rows);
    }
  }
}

TEST(ThreadTeamTest, AWorkspaceAloneIsATeamOfOne) {
  Workspace workspace;
  const ThreadTeam team = workspace;
  int calls = 0;
  team.Run([&](const WorkPart& part, Workspace& own) {
    ++calls;
    EXPECT_EQ(part.index, 0u);
    EXPECT_EQ(part.count, 1u);
    EXPECT_EQ(&own, &workspace);
  });
  EXPECT_EQ(calls, 1);
}

TEST(ThreadTeamTest, EachPartRunsOnceOnAThreadAndWorkspaceOfItsOwn) {
  CoreLender lender(4);
  Workspace workspace;
  const CoreLender::Lease lease = lender.Take(1, 4, workspace);
  ASSERT_EQ(lease.team().size(), 4u);
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::thread::id> threads(4);
    std::vector<Workspace*> workspaces(4);
    lease.team().Run([&](const WorkPart& part, Workspace& own) {
      threads[part.index] = std::this_thread::get_id();
      workspaces[part.index] = &own;
      own.Alloc<float>(100)[99] = 1;
    });
    EXPECT_EQ(std::set<std::thread::id>(threads.begin(), threads.end()).size(), 4u);
    EXPECT_EQ(std::set<Workspace*>(workspaces.begin(), workspaces.end()).size(), 4u);
    EXPECT_EQ(workspaces[0], &workspace);
  }
}

TEST(ThreadTeamTest, AnExceptionOfAnyPartGoesOnAfterAllHaveReturned) {
  CoreLender lender(3);
  Workspace workspace;
  const CoreLender::Lease lease = lender.Take(0, 3, workspace);
  for (size_t thrower = 0; thrower < 3; ++thrower) {
    std::atomic<int> returned = 0;
    const auto run = [&] {
      lease.team().Run([&](const WorkPart& part, Workspace&) {
        if (part.index == thrower) throw std::runtime_error("no");
        ++returned;
      });
    };
    EXPECT_THROW(run(), std::runtime_error);
    EXPECT_EQ(returned, 2);
  }
}

TEST(CoreLenderTest, LendsNoMoreThanAskedForAndNoneThatIsInUse) {
  CoreLender lender(3);
  Workspace mine, yours;
  const CoreLender::Lease first = lender.Take(0, 2, mine);
  EXPECT_EQ(first.team().size(), 2u);  // Cores 0 and 1.
  const CoreLender::Lease second = lender.Take(2, 3, yours);
  EXPECT_EQ(second.team().size(), 1u);
}

TEST(CoreLenderTest, WhatIsGivenBackCanBeLentAgain) {
  CoreLender lender(2);
  Workspace workspace;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lender.Take(i % 2, 2, workspace).team().size(), 2u);
}

TEST(CoreLenderTest, ASingleCoreIsATeamOfOne) {
  CoreLender lender(1);
  Workspace workspace;
  EXPECT_EQ(lender.Take(0, 8, workspace).team().size(), 1u);
}

// Two workers that both want all cores: each must come to its own again and again, and on each core one batch
// at a time.
TEST(CoreLenderTest, OneBatchAtATimeComputesOnACore) {
  CoreLender lender(2);
  std::atomic<int> cores_in_use = 0;
  std::atomic<bool> is_crowded = false;
  const auto work = [&](int32_t core) {
    Workspace workspace;
    for (int i = 0; i < 2000; ++i) {
      const CoreLender::Lease lease = lender.Take(core, 2, workspace);
      const auto cores = static_cast<int>(lease.team().size());
      if ((cores_in_use += cores) > 2) is_crowded = true;
      lease.team().Run([](const WorkPart&, Workspace&) {});
      cores_in_use -= cores;
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  EXPECT_FALSE(is_crowded);
}

TEST(CoreLenderTest, ACoreWhoseOwnerWaitsIsNotLentOn) {
  CoreLender lender(2);
  for (int round = 0; round < 200; ++round) {
    Workspace mine, yours;
    std::atomic<bool> has_seen = false;
    std::unique_ptr<CoreLender::Lease> both(new CoreLender::Lease(lender.Take(0, 2, mine)));
    ASSERT_EQ(both->team().size(), 2u);
    std::thread owner([&] {
      const CoreLender::Lease own = lender.Take(1, 1, yours);
      while (!has_seen) std::this_thread::yield();
    });
    while (lender.num_waiting() == 0) std::this_thread::yield();
    both = nullptr;
    EXPECT_EQ(lender.Take(0, 2, mine).team().size(), 1u);
    has_seen = true;
    owner.join();
  }
}

// Of shares for so many cores, a lender that takes from them.
struct SharedLender {
  explicit SharedLender(int32_t num_cores)
      : shares(num_cores, Clock::Real(), std::chrono::hours(1)),
        model(shares.Add(100)),
        other(shares.Add(100)),
        lender(num_cores, {}, model) {}
  CoreShares shares;
  const std::shared_ptr<CoreShares::Model> model, other;
  CoreLender lender;
  Workspace workspace;
};

TEST(CoreLenderTest, CoresThatAreSharedOutAreLentOnlyWhenFree) {
  SharedLender cores(3);
  const auto own = cores.model->Take(1);
  const auto others = cores.other->Take(2);
  {
    CoreLender::Lease lease = cores.lender.Take(own.core, 3, cores.workspace);
    EXPECT_EQ(lease.team().size(), 2u);
    EXPECT_EQ(cores.other->TryTake(0).core, CoreShares::kNoCore);  // Lent counts as taken.
    EXPECT_GE(lease.End(), Duration::zero());
    const auto now_free = cores.other->TryTake(0);
    EXPECT_EQ(now_free.core, 0);
    cores.other->Return(now_free);
  }
  cores.other->Return(others);
  cores.model->Return(own);
}

TEST(CoreLenderTest, WhoHasNoCoreOfItsOwnIsLentNone) {
  SharedLender cores(2);
  const CoreLender::Lease lease = cores.lender.Take(CoreShares::kNoCore, 2, cores.workspace);
  EXPECT_EQ(lease.team().size(), 1u);
}

TEST(CoreLenderTest, AWorkerMayHoldACoreThatIsNotItsNumber) {
  CoreShares shares(4, Clock::Real(), std::chrono::hours(1));
  const std::shared_ptr<CoreShares::Model> model = shares.Add(100);
  CoreLender lender(2, {}, model);  // Two workers on four cores.
  Workspace workspace;
  const auto own = model->Take(3);
  {
    const CoreLender::Lease lease = lender.Take(own.core, 4, workspace);
    EXPECT_EQ(lease.team().size(), 2u);  // As many as it has workers.
  }
  model->Return(own);
}

TEST(ThreadTeamTest, PartsThatTakeLongEndToo) {
  CoreLender lender(2);
  Workspace workspace;
  const CoreLender::Lease lease = lender.Take(0, 2, workspace);
  std::atomic<int> returned = 0;
  for (size_t round = 0; round < 100; ++round) {  // Long enough that whoever waits sleeps.
    lease.team().Run([&](const WorkPart& part, Workspace&) {
      if (part.index == round % 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++returned;
    });
  }
  EXPECT_EQ(returned, 200);
}

}  // namespace
}  // namespace attendant
