#include "server/retry_hint.h"

#include <gtest/gtest.h>

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RetryHintTest, IsOneSecondWhenNothingIsKnown) {
  const FakeClock clock;
  EXPECT_EQ(RetryHint(clock).After(1000), seconds(1));
}

TEST(RetryHintTest, IsTheTimeForHalfTheQueueAtTheRecentRate) {
  FakeClock clock;
  RetryHint hint(clock);
  hint.OnFinished(1000);  // A hundred a second over ten seconds.
  EXPECT_EQ(std::chrono::round<milliseconds>(hint.After(400)), seconds(2));
}

TEST(RetryHintTest, ForgetsOldWork) {
  FakeClock clock;
  RetryHint hint(clock);
  hint.OnFinished(1000);
  const Duration before = hint.After(400);
  clock.Advance(seconds(10));
  EXPECT_GT(hint.After(400), before * 2);
  clock.Advance(std::chrono::hours(1));
  EXPECT_EQ(hint.After(400), seconds(1));
}

TEST(RetryHintTest, StaysBetweenFiftyMillisecondsAndTenSeconds) {
  FakeClock clock;
  RetryHint hint(clock);
  hint.OnFinished(1000);
  EXPECT_EQ(hint.After(0), milliseconds(50));
  EXPECT_EQ(std::chrono::round<milliseconds>(hint.After(2'000'000'000)), seconds(10));
}

}  // namespace
}  // namespace attendant
