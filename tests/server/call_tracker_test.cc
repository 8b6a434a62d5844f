#include "server/call_tracker.h"

#include <gtest/gtest.h>

#include <thread>

namespace attendant {
namespace {

TEST(CallTrackerTest, IsIdleBeforeTheFirstCallAndAfterTheLast) {
  CallTracker tracker;
  EXPECT_TRUE(tracker.WaitIdle(Duration::zero()));
  ASSERT_TRUE(tracker.Enter());
  ASSERT_TRUE(tracker.Enter());
  EXPECT_FALSE(tracker.WaitIdle(Duration::zero()));
  tracker.Leave();
  EXPECT_FALSE(tracker.WaitIdle(Duration::zero()));
  tracker.Leave();
  EXPECT_TRUE(tracker.WaitIdle(Duration::zero()));
}

TEST(CallTrackerTest, RefusesOnceItStoppedAcceptingAndStillWaitsForThoseInside) {
  CallTracker tracker;
  ASSERT_TRUE(tracker.Enter());
  tracker.StopAccepting();
  EXPECT_FALSE(tracker.Enter());
  std::thread last([&] { tracker.Leave(); });
  EXPECT_TRUE(tracker.WaitIdle(std::chrono::minutes(1)));
  last.join();
}

}  // namespace
}  // namespace attendant
