#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/scheduler/job_queue.h"
#include "tests/engine/scheduler/toy_jobs.h"

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// A queue and one made-up worker that finishes 1000 units a second: jobs of 10 units each, 4 at a time.
class AdmissionTest : public testing::Test {
 protected:
  void Make(Duration max_wait) {
    queue_ = std::make_unique<JobQueue>(
        JobQueue::Options{.max_waiting = 10'000, .num_workers = 1, .pool_blocks = 100, .max_wait = max_wait},
        observer_, clock_);
  }
  void Measure(int steps = 50) {
    constexpr JobQueue::WorkerLoad kStep = {
        .num_running = 4, .running_units = 40, .finished_jobs = 10, .finished_units = 100};
    for (int i = 0; i < steps; ++i) {
      clock_.Advance(milliseconds(100));
      queue_->SetLoad(0, kStep);
    }
  }
  absl::Status Add(int jobs, Duration until_deadline) {
    std::vector<std::shared_ptr<Job>> all;
    for (int i = 0; i < jobs; ++i) {
      ToySpec spec;
      spec.encode_tokens = 10;
      if (until_deadline != Duration::max()) spec.deadline = clock_.Now() + until_deadline;
      all.push_back(std::make_shared<ToyJob>(spec, answers_));
    }
    return queue_->Add(all);
  }
  static bool IsLate(const absl::Status& status) {
    return absl::IsResourceExhausted(status) && status.GetPayload(kLatePayload).has_value();
  }

  FakeClock clock_;
  CountingObserver observer_;
  ToyAnswers answers_{1};
  std::unique_ptr<JobQueue> queue_;
};

TEST_F(AdmissionTest, TakesAllBeforeItKnowsAnything) {
  Make(milliseconds(1));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Add(100, milliseconds(1)).ok());
}

TEST_F(AdmissionTest, RefusesWhatCannotBeInTime) {
  Make({});
  Measure();
  EXPECT_TRUE(Add(95, seconds(2)).ok());  // 950 units: with what runs, 0.99 s of work.
  EXPECT_TRUE(IsLate(Add(1, milliseconds(950))));
  EXPECT_TRUE(IsLate(queue_->CheckAdmission(1, clock_.Now() + milliseconds(950))));
  EXPECT_TRUE(queue_->CheckAdmission(1, clock_.Now() + milliseconds(1100)).ok());
  EXPECT_TRUE(IsLate(queue_->CheckAdmission(100, clock_.Now() + milliseconds(1100))));
  EXPECT_TRUE(Add(1, milliseconds(1100)).ok());
  EXPECT_TRUE(Add(1, Duration::max()).ok());
}

TEST_F(AdmissionTest, RefusesWhatWouldWaitBeyondTheLimit) {
  Make(milliseconds(500));
  Measure();
  EXPECT_TRUE(Add(1, Duration::max()).ok());
  EXPECT_TRUE(Add(98, Duration::max()).ok());  // All of one text: it does not wait for itself.
  const absl::Status status = Add(1, Duration::max());
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_FALSE(IsLate(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the queue is full"));
  EXPECT_TRUE(absl::IsResourceExhausted(queue_->CheckAdmission(1, kInfiniteFuture)));
}

TEST_F(AdmissionTest, WorkJustWithinTheLimitIsTaken) {
  Make(milliseconds(505));  // 505 units, of which 40 run.
  Measure();
  EXPECT_TRUE(Add(45, Duration::max()).ok());
  EXPECT_TRUE(Add(1, Duration::max()).ok());
  EXPECT_TRUE(Add(1, Duration::max()).ok());
  EXPECT_FALSE(Add(1, Duration::max()).ok());
}

TEST_F(AdmissionTest, IdleServerTakesEvenWhatItCannotFinish) {
  Make(milliseconds(1));
  Measure();
  queue_->SetLoad(0, {});
  EXPECT_TRUE(Add(1000, milliseconds(1)).ok());
}

TEST_F(AdmissionTest, TakesAgainOnceTheQueueIsGone) {
  Make({});
  Measure();
  EXPECT_TRUE(Add(95, seconds(2)).ok());
  EXPECT_TRUE(IsLate(Add(1, milliseconds(500))));
  JobQueue::Taken taken;
  clock_.Advance(seconds(10));  // All expired.
  queue_->Take({}, {.worker = 0, .running = {}, .free_blocks = 100, .num_blocks = 100}, clock_.Now(), taken);
  EXPECT_EQ(taken.dropped.size(), 95u);
  EXPECT_TRUE(Add(1, milliseconds(500)).ok());
}

TEST_F(AdmissionTest, FullQueueIsNotCalledLate) {
  queue_ = std::make_unique<JobQueue>(
      JobQueue::Options{.max_waiting = 2, .num_workers = 1, .pool_blocks = 100}, observer_, clock_);
  EXPECT_TRUE(Add(1, seconds(1)).ok());
  EXPECT_TRUE(queue_->CheckAdmission(1, kInfiniteFuture).ok());
  EXPECT_TRUE(Add(1, seconds(1)).ok());
  const absl::Status status = queue_->CheckAdmission(1, kInfiniteFuture);
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_FALSE(IsLate(status));
}

}  // namespace
}  // namespace attendant
