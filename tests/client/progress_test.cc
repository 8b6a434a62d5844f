#include "client/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "client/table.h"
#include "client/translate_report.h"

namespace attendant::client {
namespace {

TEST(FormatProgressTest, ShowsShareRateAndTimeLeft) {
  const ProgressState state{
      .inputs = 1'500, .tokens = 30'000, .work_done = 25, .work_total = 100, .elapsed = absl::Seconds(10)};
  EXPECT_EQ(FormatProgress(state, 100),
            "1,500 lines   25% [#####---------------]  150 lines/s  3,000 tokens/s  ETA 0:30");
}

TEST(FormatProgressTest, WithoutATotalThereIsNoBar) {
  const ProgressState state{.inputs = 8, .tokens = 40, .elapsed = absl::Seconds(2)};
  EXPECT_EQ(FormatProgress(state, 100), "8 lines  4 lines/s  20 tokens/s");
}

TEST(FormatProgressTest, ImagesHaveNoTokens) {
  const ProgressState state{.units = "images",
                            .inputs = 30,
                            .tokens = std::nullopt,
                            .work_done = 30,
                            .work_total = 40,
                            .elapsed = absl::Seconds(2)};
  EXPECT_EQ(FormatProgress(state, 100), "30 images   75% [###############-----]  15 images/s  ETA 0:00");
  EXPECT_EQ(FormatSummary(state), "30 images in 2.0 s (15 images/s)");
}

TEST(FormatSummaryTest, SaysWhatWasDone) {
  const ProgressState state{.inputs = 2'000, .tokens = 40'000, .elapsed = absl::Seconds(10)};
  EXPECT_EQ(FormatSummary(state), "2,000 lines in 10.0 s (200 lines/s, 4,000 tokens/s)");
}

TEST(FormatProgressTest, NeverWiderThanTheTerminal) {
  const ProgressState state{.inputs = 8, .work_done = 100, .work_total = 100, .elapsed = absl::Seconds(1)};
  for (int columns = 0; columns < 90; ++columns) {
    EXPECT_LE(FormatProgress(state, columns).size(), static_cast<size_t>(columns));
  }
}

TEST(FormatProgressTest, BeginsWithoutDividingByZero) {
  EXPECT_EQ(FormatProgress({.work_total = 10}, 100),
            "0 lines    0% [--------------------]  0 lines/s  0 tokens/s  ETA -:--");
}

TEST(FormatProgressTest, AFileThatGrowsStaysAtAHundredPercent) {
  const ProgressState state{.inputs = 1, .work_done = 30, .work_total = 10, .elapsed = absl::Seconds(1)};
  EXPECT_NE(FormatProgress(state, 100).find("100% [####################]"), std::string::npos);
}

// What a report of three inputs draws.
std::string DrawnOf(ReportOptions options) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  options.progress_fd = ends[1];
  TranslateReport report(options);
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(report.Add(name, 10, absl::OkStatus(), 5).ok());
  report.Finish();
  close(ends[1]);
  std::string drawn(4096, '\0');
  const ssize_t size = read(ends[0], drawn.data(), drawn.size());
  close(ends[0]);
  drawn.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return drawn;
}

TEST(TranslateReportTest, ImagesAreCountedAndLinesAreWeighed) {
  using ::testing::HasSubstr;
  using ::testing::Not;
  const std::string images =
      DrawnOf({.server = "", .unit = "image", .num_inputs = 4, .counts_tokens = false});
  EXPECT_THAT(images, HasSubstr("1 images   25% [#####---------------]"));
  EXPECT_THAT(images, HasSubstr("3 images in "));
  EXPECT_THAT(images, Not(HasSubstr("tokens")));
  const std::string lines = DrawnOf({.server = "", .input_bytes = 50});
  EXPECT_THAT(lines, HasSubstr("1 lines   20% [####----------------]"));
  EXPECT_THAT(lines, HasSubstr("tokens/s"));
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
