#include "engine/scheduler/batch_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const TimePoint kNow = TimePoint() + std::chrono::hours(1);

class MakePlanTest : public testing::Test {
 protected:
  MakePlanTest() {
    limits_.max_rows = 100;
    limits_.max_encode_tokens = 100;
    limits_.max_running = 100;
    limits_.spare_blocks_per_job = 0;
  }

  // Waiting for `waited`, as costly as told.
  WaitingJob Waiting(Duration waited) {
    WaitingJob job;
    job.encode_tokens = 10;
    job.start_blocks = 1;
    job.arrival = kNow - waited;
    return job;
  }
  RunningJob Running(Duration since, int32_t next_blocks, int32_t held_blocks) {
    RunningJob job;
    job.blocks_for_next_step = next_blocks;
    job.held_blocks = held_blocks;
    job.arrival = kNow - since;
    return job;
  }
  Plan Make() {
    return MakePlan(limits_, {.waiting = waiting_,
                              .running = running_,
                              .free_blocks = free_blocks_,
                              .num_blocks = 1000,
                              .fair_share = fair_share_,
                              .now = kNow});
  }

  PlannerLimits limits_;
  std::vector<WaitingJob> waiting_;
  std::vector<RunningJob> running_;
  int32_t free_blocks_ = 1000;
  int32_t fair_share_ = 0;
};

TEST_F(MakePlanTest, NothingGivesAnEmptyPlan) {
  const Plan plan = Make();
  EXPECT_THAT(plan.drop_waiting, IsEmpty());
  EXPECT_THAT(plan.drop_running, IsEmpty());
  EXPECT_THAT(plan.preempt, IsEmpty());
  EXPECT_THAT(plan.admit, IsEmpty());
}

TEST_F(MakePlanTest, DropsExpiredAtTheDeadlineAndNotBefore) {
  for (const Duration offset : {Duration(-1), Duration(0), Duration(1)}) {
    waiting_.push_back(Waiting(seconds(1)));
    waiting_.back().deadline = kNow + offset;
    running_.push_back(Running(seconds(1), 0, 1));
    running_.back().deadline = kNow + offset;
  }
  const Plan plan = Make();
  EXPECT_THAT(plan.drop_waiting, ElementsAre(0, 1));
  EXPECT_THAT(plan.drop_running, ElementsAre(0, 1));
  EXPECT_THAT(plan.admit, ElementsAre(2));
}

TEST_F(MakePlanTest, DropsCancelled) {
  waiting_ = {Waiting(seconds(1)), Waiting(seconds(1))};
  waiting_[0].cancelled = true;
  running_ = {Running(seconds(1), 0, 1), Running(seconds(1), 0, 1)};
  running_[1].cancelled = true;
  const Plan plan = Make();
  EXPECT_THAT(plan.drop_waiting, ElementsAre(0));
  EXPECT_THAT(plan.drop_running, ElementsAre(1));
  EXPECT_THAT(plan.admit, ElementsAre(1));
}

TEST_F(MakePlanTest, BlocksOfTheDroppedServeTheSamePlan) {
  free_blocks_ = 0;
  running_ = {Running(seconds(1), 0, 5), Running(seconds(1), 1, 3)};
  running_[0].cancelled = true;
  waiting_ = {Waiting(seconds(1))};
  waiting_[0].start_blocks = 4;  // 5 freed - 1 for the other's next step.
  EXPECT_THAT(Make().admit, ElementsAre(0));
  waiting_[0].start_blocks = 5;
  EXPECT_THAT(Make().admit, IsEmpty());
}

TEST_F(MakePlanTest, AdmitsInOrderOfArrivalWhateverTheOrderOfTheInput) {
  waiting_ = {Waiting(seconds(1)), Waiting(seconds(3)), Waiting(seconds(2))};
  EXPECT_THAT(Make().admit, ElementsAre(1, 2, 0));
}

TEST_F(MakePlanTest, TiesGoByIndex) {
  waiting_ = {Waiting(seconds(1)), Waiting(seconds(1)), Waiting(seconds(1))};
  EXPECT_THAT(Make().admit, ElementsAre(0, 1, 2));
}

TEST_F(MakePlanTest, APriorityLevelIsWorthOneStepOfWaiting) {
  limits_.priority_step = seconds(2);
  waiting_ = {Waiting(milliseconds(2999)), Waiting(milliseconds(3001)), Waiting(seconds(1))};
  waiting_[2].priority = 1;
  EXPECT_THAT(Make().admit, ElementsAre(1, 2, 0));
}

TEST_F(MakePlanTest, AtTheSameRankTheEarlierArrivalGoesFirst) {
  waiting_ = {Waiting(seconds(1)), Waiting(seconds(2))};
  waiting_[0].priority = 1;
  EXPECT_THAT(Make().admit, ElementsAre(1, 0));
}

TEST_F(MakePlanTest, LowPriorityDoesNotStarve) {
  limits_.max_running = 1;
  waiting_ = {Waiting(seconds(11)), Waiting(seconds(0))};
  waiting_[0].priority = -5;
  waiting_[1].priority = 5;
  EXPECT_THAT(Make().admit, ElementsAre(0));
}

TEST_F(MakePlanTest, ExtremePrioritiesSaturate) {
  limits_.priority_step = std::chrono::hours(24 * 365 * 100);
  waiting_ = {Waiting(seconds(9)), Waiting(seconds(1)), Waiting(seconds(5))};
  waiting_[0].priority = std::numeric_limits<int>::min();
  waiting_[1].priority = std::numeric_limits<int>::max();
  EXPECT_THAT(Make().admit, ElementsAre(1, 2, 0));
}

TEST_F(MakePlanTest, EncodeBudgetCountsToTheLastToken) {
  limits_.max_encode_tokens = 30;
  waiting_ = {Waiting(seconds(3)), Waiting(seconds(2))};
  for (const auto& [second, admitted] : {std::pair(19, 2u), std::pair(20, 2u), std::pair(21, 1u)}) {
    waiting_[1].encode_tokens = second;
    EXPECT_EQ(Make().admit.size(), admitted) << second;
  }
}

TEST_F(MakePlanTest, OneLongerThanTheEncodeBudgetEntersAlone) {
  waiting_ = {Waiting(seconds(3)), Waiting(seconds(2))};
  waiting_[0].encode_tokens = 101;
  EXPECT_THAT(Make().admit, ElementsAre(0));
  running_ = {Running(seconds(9), 0, 1)};  // Also beside running ones, which encode nothing.
  EXPECT_THAT(Make().admit, ElementsAre(0));
}

TEST_F(MakePlanTest, RowsCountToTheLast) {
  running_ = {Running(seconds(9), 0, 1)};
  running_[0].max_rows = 60;
  waiting_ = {Waiting(seconds(3)), Waiting(seconds(2))};
  waiting_[0].max_rows = 30;
  for (const auto& [rows, admitted] : {std::pair(9, 2u), std::pair(10, 2u), std::pair(11, 1u)}) {
    waiting_[1].max_rows = rows;
    EXPECT_EQ(Make().admit.size(), admitted) << rows;
  }
}

TEST_F(MakePlanTest, RunningJobsCountToTheLast) {
  running_ = {Running(seconds(9), 0, 1)};
  waiting_ = {Waiting(seconds(3)), Waiting(seconds(2))};
  for (const auto& [limit, admitted] :
       {std::pair(1, 0u), std::pair(2, 1u), std::pair(3, 2u), std::pair(4, 2u)}) {
    limits_.max_running = limit;
    EXPECT_EQ(Make().admit.size(), admitted) << limit;
  }
}

TEST_F(MakePlanTest, BlocksCountToTheLast) {
  running_ = {Running(seconds(9), 2, 1)};
  waiting_ = {Waiting(seconds(3))};
  waiting_[0].start_blocks = 5;
  for (const auto& [free, admitted] : {std::pair(6, 0u), std::pair(7, 1u), std::pair(8, 1u)}) {
    free_blocks_ = free;
    EXPECT_EQ(Make().admit.size(), admitted) << free;
  }
}

TEST_F(MakePlanTest, AdmissionLeavesSpareBlocksForAllThatRun) {
  limits_.spare_blocks_per_job = 3;
  running_ = {Running(seconds(9), 2, 1)};
  waiting_ = {Waiting(seconds(3))};
  waiting_[0].start_blocks = 5;
  for (const auto& [free, admitted] : {std::pair(12, 0u), std::pair(13, 1u), std::pair(14, 1u)}) {
    free_blocks_ = free;
    EXPECT_EQ(Make().admit.size(), admitted) << free;
  }
}

TEST_F(MakePlanTest, JobsWithoutRowsAndBlocksNeedRoomForNeither) {
  limits_.spare_blocks_per_job = 1;
  free_blocks_ = 0;
  running_ = {Running(seconds(9), 0, 4)};
  WaitingJob job = Waiting(seconds(1));
  job.max_rows = 0;
  job.start_blocks = 0;
  waiting_ = {job, job, Waiting(milliseconds(1))};
  EXPECT_THAT(Make().admit, ElementsAre(0, 1));
}

TEST_F(MakePlanTest, FairShareCountsToTheLast) {
  running_ = {Running(seconds(9), 0, 1)};
  waiting_ = {Waiting(seconds(3)), Waiting(seconds(2))};
  for (const auto& [share, admitted] :
       {std::pair(1, 0u), std::pair(2, 1u), std::pair(3, 2u), std::pair(0, 2u)}) {
    fair_share_ = share;
    EXPECT_EQ(Make().admit.size(), admitted) << share;
  }
}

TEST_F(MakePlanTest, OneThatDoesNotFitIsNotOvertaken) {
  running_ = {Running(seconds(9), 0, 1)};
  waiting_ = {Waiting(seconds(4)), Waiting(seconds(3)), Waiting(seconds(2))};
  waiting_[1].max_rows = 100;
  EXPECT_THAT(Make().admit, ElementsAre(0));
}

TEST_F(MakePlanTest, IfNothingRunsTheFirstEntersWhateverItsSize) {
  free_blocks_ = 5;
  waiting_ = {Waiting(seconds(4)), Waiting(seconds(3))};
  waiting_[0].max_rows = 1000;
  waiting_[0].encode_tokens = 1000;
  waiting_[0].start_blocks = 5;
  limits_.max_running = 0;
  limits_.spare_blocks_per_job = 10;
  EXPECT_THAT(Make().admit, ElementsAre(0));
  running_ = {Running(seconds(9), 0, 1)};
  running_[0].cancelled = true;  // Leaves in this plan: nothing runs after it.
  EXPECT_THAT(Make().admit, ElementsAre(0));
}

TEST_F(MakePlanTest, PreemptsTheLastInRankUntilTheRestFits) {
  free_blocks_ = 1;
  running_ = {Running(seconds(2), 1, 2), Running(seconds(9), 1, 2), Running(seconds(1), 1, 1),
              Running(seconds(3), 1, 2)};
  EXPECT_THAT(Make().preempt, ElementsAre(2, 0));  // 1 + 1 free, 3 wanted; then 1 + 1 + 2, 2 wanted.
  free_blocks_ = 2;
  EXPECT_THAT(Make().preempt, ElementsAre(2));
  free_blocks_ = 3;
  EXPECT_THAT(Make().preempt, ElementsAre(2));
  free_blocks_ = 4;
  EXPECT_THAT(Make().preempt, IsEmpty());
}

TEST_F(MakePlanTest, PreemptionSparesHigherPriority) {
  free_blocks_ = 1;
  running_ = {Running(seconds(1), 1, 2), Running(seconds(3), 1, 2)};
  running_[0].priority = 5;
  EXPECT_THAT(Make().preempt, ElementsAre(1));
}

TEST_F(MakePlanTest, NeverPreemptsTheOldest) {
  free_blocks_ = 0;
  running_ = {Running(seconds(2), 5, 2)};
  EXPECT_THAT(Make().preempt, IsEmpty());
  running_.push_back(Running(seconds(1), 1, 1));
  EXPECT_THAT(Make().preempt, ElementsAre(1));
}

TEST_F(MakePlanTest, NothingEntersInAPlanThatPreempts) {
  free_blocks_ = 0;
  running_ = {Running(seconds(2), 1, 2), Running(seconds(1), 1, 20)};
  waiting_ = {Waiting(seconds(5))};
  const Plan plan = Make();
  EXPECT_THAT(plan.preempt, ElementsAre(1));
  EXPECT_THAT(plan.admit, IsEmpty());
}

TEST_F(MakePlanTest, TheDroppedMakePreemptionNeedless) {
  free_blocks_ = 0;
  running_ = {Running(seconds(2), 1, 2), Running(seconds(1), 1, 2), Running(seconds(3), 1, 2)};
  running_[2].deadline = kNow;
  EXPECT_THAT(Make().preempt, IsEmpty());
}

}  // namespace
}  // namespace attendant
