#include "client/progress.h"

#include <gtest/gtest.h>

#include "client/table.h"

namespace attendant::client {
namespace {

TEST(FormatProgressTest, ShowsShareRateAndTimeLeft) {
  const ProgressState state{.lines = 1'500,
                            .output_tokens = 30'000,
                            .bytes_done = 25,
                            .bytes_total = 100,
                            .elapsed = absl::Seconds(10)};
  EXPECT_EQ(FormatProgress(state, 100),
            "1,500 lines   25% [#####---------------]  150 lines/s  3,000 tokens/s  ETA 0:30");
}

TEST(FormatProgressTest, WithoutATotalThereIsNoBar) {
  const ProgressState state{.lines = 8, .output_tokens = 40, .elapsed = absl::Seconds(2)};
  EXPECT_EQ(FormatProgress(state, 100), "8 lines  4 lines/s  20 tokens/s");
}

TEST(FormatProgressTest, NeverWiderThanTheTerminal) {
  const ProgressState state{.lines = 8, .bytes_done = 100, .bytes_total = 100, .elapsed = absl::Seconds(1)};
  for (int columns = 0; columns < 90; ++columns) {
    EXPECT_LE(FormatProgress(state, columns).size(), static_cast<size_t>(columns));
  }
}

TEST(FormatProgressTest, BeginsWithoutDividingByZero) {
  EXPECT_EQ(FormatProgress({.bytes_total = 10}, 100),
            "0 lines    0% [--------------------]  0 lines/s  0 tokens/s  ETA -:--");
}

TEST(FormatProgressTest, AFileThatGrowsStaysAtAHundredPercent) {
  const ProgressState state{.lines = 1, .bytes_done = 30, .bytes_total = 10, .elapsed = absl::Seconds(1)};
  EXPECT_NE(FormatProgress(state, 100).find("100% [####################]"), std::string::npos);
}

TEST(WithThousandsTest, PutsCommas) {
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
}

TEST(FormatTableTest, AlignsColumns) {
  EXPECT_EQ(FormatTable({{"A", "LONG"}, {"bcd", "e"}, {"f"}}), "A    LONG\nbcd  e\nf\n");
}

TEST(FormatTableTest, ScalesNumbers) {
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(10'400'000), "10.4 M");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
}

}  // namespace
}  // namespace attendant::client
