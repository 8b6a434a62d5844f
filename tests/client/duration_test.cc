#include "client/duration.h"

#include <gtest/gtest.h>

namespace attendant::client {
namespace {

TEST(ParseDurationTest, ReadsNumbersWithUnits) {
  EXPECT_EQ(*ParseDuration("30s", {}), absl::Seconds(30));
  EXPECT_EQ(*ParseDuration("500ms", {}), absl::Milliseconds(500));
  EXPECT_EQ(*ParseDuration("1h30m", {}), absl::Minutes(90));
}

TEST(ParseDurationTest, LimitsAreIncluded) {
  const DurationLimits limits{.min = absl::Milliseconds(10), .max = absl::Seconds(10)};
  EXPECT_FALSE(ParseDuration("9ms", limits).ok());
  EXPECT_TRUE(ParseDuration("10ms", limits).ok());
  EXPECT_TRUE(ParseDuration("11ms", limits).ok());
  EXPECT_TRUE(ParseDuration("9999ms", limits).ok());
  EXPECT_TRUE(ParseDuration("10s", limits).ok());
  EXPECT_FALSE(ParseDuration("10001ms", limits).ok());
}

TEST(ParseDurationTest, RefusesWhatIsNoTime) {
  for (const char* text : {"", "30", "s", "abc", "-5s", "inf", "30 s", "1e999h"}) {
    EXPECT_FALSE(ParseDuration(text, {}).ok()) << text;
  }
}

TEST(FormatClockTest, LooksLikeAClock) {
  EXPECT_EQ(FormatClock(absl::Seconds(7)), "0:07");
  EXPECT_EQ(FormatClock(absl::Seconds(3599)), "59:59");
  EXPECT_EQ(FormatClock(absl::Seconds(3600)), "1:00:00");
  EXPECT_EQ(FormatClock(absl::InfiniteDuration()), "-:--");
  EXPECT_EQ(FormatClock(absl::Seconds(-1)), "-:--");
}

}  // namespace
}  // namespace attendant::client
