#include "engine/base/clock.h"

#include <gtest/gtest.h>

namespace attendant {
namespace {

TEST(ClockTest, RealClockNeverGoesBack) {
  const TimePoint first = Clock::Real().Now();
  EXPECT_LE(first, Clock::Real().Now());
  EXPECT_LT(first, kInfiniteFuture);
}

TEST(FakeClockTest, MovesOnlyWhenTold) {
  FakeClock clock;
  const TimePoint start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(std::chrono::milliseconds(7));
  EXPECT_EQ(clock.Now() - start, std::chrono::milliseconds(7));
}

TEST(FakeClockTest, AnHourAgoExists) {
  FakeClock clock;
  EXPECT_GE(clock.Now() - std::chrono::hours(1), TimePoint());
}

}  // namespace
}  // namespace attendant
