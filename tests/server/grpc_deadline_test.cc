#include <gtest/gtest.h>

#include "absl/strings/cord.h"
#include "engine/scheduler/scheduler.h"
#include "server/grpc_status.h"

namespace attendant {
namespace {

using std::chrono::milliseconds;

class DeadlineLimitsTest : public testing::Test {
 protected:
  Duration Left(Duration wanted) const {
    const TimePoint deadline = wanted == Duration::max() ? kInfiniteFuture : now_ + wanted;
    const TimePoint result = WithDeadlineLimits(deadline, now_, limits_);
    return result == kInfiniteFuture ? Duration::max() : result - now_;
  }
  const TimePoint now_{std::chrono::hours(1)};
  config::Limits limits_;
};

TEST_F(DeadlineLimitsTest, CallWithoutDeadlineHasTheDefault) {
  EXPECT_EQ(Left(Duration::max()), milliseconds(60'000));
  EXPECT_EQ(Left(milliseconds(70'000)), milliseconds(70'000));
  limits_.set_default_deadline_ms(0);
  EXPECT_EQ(Left(Duration::max()), Duration::max());
}

TEST_F(DeadlineLimitsTest, LongerThanTheMaximumIsTheMaximum) {
  limits_.set_max_deadline_ms(1000);
  for (const int wanted : {999, 1000}) EXPECT_EQ(Left(milliseconds(wanted)), milliseconds(wanted));
  EXPECT_EQ(Left(milliseconds(1001)), milliseconds(1000));
  EXPECT_EQ(Left(Duration::max()), milliseconds(1000));
  limits_.set_default_deadline_ms(0);
  EXPECT_EQ(Left(Duration::max()), milliseconds(1000));
}

TEST_F(DeadlineLimitsTest, PastDeadlinesStayPast) {
  limits_.set_max_deadline_ms(1000);
  EXPECT_EQ(Left(-milliseconds(5)), -milliseconds(5));
}

TEST(QueueReasonTest, LateIsNotFull) {
  absl::Status status = absl::ResourceExhaustedError("x");
  EXPECT_EQ(QueueReasonOf(status), RejectReason::kQueueFull);
  status.SetPayload(kLatePayload, absl::Cord("1"));
  EXPECT_EQ(QueueReasonOf(status), RejectReason::kLate);
}

}  // namespace
}  // namespace attendant
