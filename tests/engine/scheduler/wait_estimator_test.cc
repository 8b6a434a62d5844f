#include "engine/scheduler/wait_estimator.h"

#include <gtest/gtest.h>

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class WaitEstimatorTest : public testing::Test {
 protected:
  // `steps` steps of 100 ms with num_running jobs, each of which finishes `jobs` jobs of 10 units.
  void Run(int steps, int64_t num_running, int64_t jobs) {
    estimator_.Note(now_, num_running, 0, 0);
    for (int i = 0; i < steps; ++i) {
      now_ += milliseconds(100);
      estimator_.Note(now_, num_running, jobs, 10 * jobs);
    }
  }
  double Seconds(int64_t units, int64_t num_running) const {
    return std::chrono::duration<double>(estimator_.TimeOf(units, num_running).value()).count();
  }

  WaitEstimator estimator_;
  TimePoint now_{seconds(100)};
};

TEST_F(WaitEstimatorTest, HasNoOpinionWithoutEvidence) {
  EXPECT_EQ(estimator_.TimeOf(100, 1), std::nullopt);
  EXPECT_EQ(estimator_.units_per_job(), 1);
  Run(2, 4, 100);  // Too short a time.
  EXPECT_EQ(estimator_.TimeOf(100, 4), std::nullopt);
}

TEST_F(WaitEstimatorTest, NeedsEnoughJobs) {
  Run(7, 4, 1);
  EXPECT_EQ(estimator_.TimeOf(100, 4), std::nullopt);
  Run(3, 4, 1);
  EXPECT_NE(estimator_.TimeOf(100, 4), std::nullopt);
}

TEST_F(WaitEstimatorTest, MeasuresThroughput) {
  Run(30, 4, 5);  // 500 units a second.
  EXPECT_NEAR(Seconds(1000, 4), 2, 0.1);
  EXPECT_NEAR(Seconds(0, 4), 0, 1e-9);
  EXPECT_NEAR(estimator_.units_per_job(), 10, 1e-6);
}

TEST_F(WaitEstimatorTest, KnowsEachLoadByItself) {
  Run(30, 1, 1);    // 100 units a second, one job at a time.
  Run(30, 64, 20);  // 2000 units a second.
  EXPECT_NEAR(Seconds(1000, 1), 10, 0.5);
  EXPECT_NEAR(Seconds(1000, 64), 0.5, 0.05);
  EXPECT_NEAR(Seconds(1000, 127), 0.5, 0.05);
}

TEST_F(WaitEstimatorTest, ExpectsUnknownLoadsToGrowInProportion) {
  Run(30, 1, 1);
  EXPECT_NEAR(Seconds(1000, 16), 10.0 / 16, 0.05);
}

TEST_F(WaitEstimatorTest, LearnsAnew) {
  Run(50, 4, 10);
  Run(250, 4, 1);
  EXPECT_NEAR(Seconds(1000, 4), 10, 1);
}

TEST_F(WaitEstimatorTest, StallWeighsNoMoreThanASecond) {
  Run(60, 4, 10);  // 1000 units a second.
  now_ += seconds(3600);
  Run(1, 4, 10);
  EXPECT_LT(Seconds(1000, 4), 1.6);
  Run(60, 4, 10);
  EXPECT_NEAR(Seconds(1000, 4), 1, 0.15);
}

TEST_F(WaitEstimatorTest, StandingIdleIsNoEvidence) {
  Run(60, 4, 10);
  estimator_.Note(now_, 0, 0, 0);
  const double before = Seconds(1000, 4);
  for (int i = 0; i < 100; ++i) {
    now_ += seconds(1);
    estimator_.Note(now_, 0, 0, 0);
  }
  EXPECT_DOUBLE_EQ(Seconds(1000, 4), before);
}

TEST_F(WaitEstimatorTest, ClockThatStandsStillDividesByNothing) {
  for (int i = 0; i < 100; ++i) estimator_.Note(now_, 4, 1, 1);
  EXPECT_EQ(estimator_.TimeOf(1, 4), std::nullopt);
}

}  // namespace
}  // namespace attendant
