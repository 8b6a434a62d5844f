#include "engine/scheduler/batch_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/engine/scheduler/toy_jobs.h"

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Loops driven by hand on a clock that stands still.
class BatchLoopTest : public testing::Test {
 protected:
  BatchLoopTest() { limits_.spare_blocks_per_job = 0; }

  void MakeLoops(std::vector<int32_t> pools) {
    queue_ = std::make_unique<JobQueue>(
        JobQueue::Options{
            .max_waiting = 100, .num_workers = static_cast<int32_t>(pools.size()), .pool_blocks = 1000},
        observer_, clock_);
    completions_ = std::make_unique<Completions>(*queue_, 1);
    for (const int32_t blocks : pools) {
      auto executor = std::make_unique<ToyExecutor>(blocks);
      executors_.push_back(executor.get());
      loops_.push_back(
          std::make_unique<BatchLoop>(static_cast<int32_t>(loops_.size()), std::move(executor),
                                      BatchLoop::Shared{limits_, *queue_, *completions_, observer_, clock_}));
    }
  }
  std::shared_ptr<ToyJob> Submit(const ToySpec& spec) {
    auto job = std::make_shared<ToyJob>(spec, answers_);
    EXPECT_TRUE(queue_->Add({job}).ok());
    return job;
  }
  bool RunOnce() { return loops_[0]->RunOnce(); }
  ToyExecutor& executor() { return *executors_[0]; }
  void RunUntilIdle() {
    for (int i = 0; RunOnce(); ++i) ASSERT_LT(i, 10'000) << "the loop makes no progress";
  }
  // The answer to job `index`, once `total` jobs have one.
  ToyAnswer Answer(size_t index, size_t total) {
    answers_.WaitFor(total);
    return answers_.Get(index);
  }
  void ExpectRightAnswer(const ToySpec& spec, size_t total) {
    const ToyAnswer answer = Answer(spec.index, total);
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    EXPECT_EQ(answer.result, ToyJob::ExpectedResult(spec)) << spec.index;
    EXPECT_EQ(answer.completions, 1);
  }

  FakeClock clock_;
  CountingObserver observer_;
  ToyAnswers answers_{100};
  PlannerLimits limits_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<Completions> completions_;
  std::vector<ToyExecutor*> executors_;
  std::vector<std::unique_ptr<BatchLoop>> loops_;
};

TEST_F(BatchLoopTest, SaysThatThereIsNothingToDo) {
  MakeLoops({10});
  EXPECT_FALSE(RunOnce());
  EXPECT_EQ(executor().steps, 0);
}

TEST_F(BatchLoopTest, JobRunsToItsEndAndLeavesNothing) {
  MakeLoops({10});
  const ToySpec spec{.steps = 5};
  Submit(spec);
  EXPECT_EQ(observer_.depth, 1);
  RunUntilIdle();
  ExpectRightAnswer(spec, 1);
  EXPECT_EQ(executor().steps, 5);
  EXPECT_EQ(executor().free_blocks(), 10);
  EXPECT_EQ(queue_->num_running(), 0);
  EXPECT_EQ(observer_.depth, 0);
  EXPECT_TRUE(queue_->WaitUntilNoneOpen(seconds(60)));
}

TEST_F(BatchLoopTest, CompletesOnAnotherThread) {
  MakeLoops({10});
  Submit({.steps = 1});
  RunOnce();
  EXPECT_NE(Answer(0, 1).thread, std::this_thread::get_id());
}

TEST_F(BatchLoopTest, JobsJoinAndLeaveAtSteps) {
  MakeLoops({100});
  const ToySpec first{.index = 0, .steps = 3};
  const ToySpec second{.index = 1, .steps = 3};
  Submit(first);
  RunOnce();
  EXPECT_EQ(executor().last_step_jobs, 1u);
  Submit(second);
  RunOnce();
  EXPECT_EQ(executor().last_step_jobs, 2u);
  RunOnce();
  ExpectRightAnswer(first, 1);
  RunOnce();
  EXPECT_EQ(executor().last_step_jobs, 1u);
  ExpectRightAnswer(second, 2);
  EXPECT_FALSE(RunOnce());
}

TEST_F(BatchLoopTest, TellsTheStepsFigures) {
  MakeLoops({100});
  Submit({.index = 0, .steps = 2, .rows = 4, .cross_blocks = 3, .encode_tokens = 7});
  Submit({.index = 1, .steps = 1, .rows = 2, .cross_blocks = 1, .encode_tokens = 5});
  RunOnce();
  const SchedulerObserver::StepStats stats = observer_.last_step();
  EXPECT_EQ(stats.worker, 0);
  EXPECT_EQ(stats.rows, 6);
  EXPECT_EQ(stats.running, 1);
  EXPECT_EQ(stats.encoded_tokens, 12);
  EXPECT_EQ(stats.entered, 2);
  EXPECT_EQ(stats.free_blocks, 100 - 4);
  EXPECT_EQ(stats.num_blocks, 100);
}

TEST_F(BatchLoopTest, TimesStartAndStep) {
  MakeLoops({100});
  Submit({});
  executor().before_start = [this] { clock_.Advance(milliseconds(3)); };
  executor().before_step = [this] { clock_.Advance(milliseconds(2)); };
  clock_.Advance(milliseconds(40));
  RunOnce();
  EXPECT_EQ(observer_.last_step().encode_time, milliseconds(3));
  EXPECT_EQ(observer_.last_step().step_time, milliseconds(2));
  EXPECT_EQ(observer_.last_queue_time_ns, 40'000'000);
}

TEST_F(BatchLoopTest, CancelledRunningJobIsGoneBeforeTheNextStep) {
  MakeLoops({100});
  const auto cancelled = Submit({.index = 0, .steps = 50});
  Submit({.index = 1, .steps = 50});
  RunOnce();
  EXPECT_EQ(executor().free_blocks(), 100 - 4);
  cancelled->Cancel();
  RunOnce();
  EXPECT_EQ(executor().free_before_step, 100 - 2);
  EXPECT_EQ(executor().last_step_jobs, 1u);
  EXPECT_EQ(observer_.last_step().free_blocks, 100 - 2);
  EXPECT_EQ(Answer(0, 1).status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(observer_.DropsFor(DropReason::kCancelledRunning), 1);
}

TEST_F(BatchLoopTest, ExpiredRunningJobIsGoneAtItsDeadline) {
  MakeLoops({100});
  Submit({.index = 0, .steps = 50, .deadline = clock_.Now() + milliseconds(10)});
  RunOnce();
  clock_.Advance(milliseconds(9));
  RunOnce();
  EXPECT_EQ(answers_.total(), 0u);
  clock_.Advance(milliseconds(1));
  RunOnce();
  EXPECT_EQ(Answer(0, 1).status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(executor().free_blocks(), 100);
  EXPECT_EQ(observer_.DropsFor(DropReason::kExpiredRunning), 1);
}

TEST_F(BatchLoopTest, WaitingJobsLeaveAtTheNextPlanThoughTheWorkerIsFull) {
  limits_.max_running = 1;
  MakeLoops({100});
  Submit({.index = 0, .steps = 50});
  RunOnce();
  Submit({.index = 1, .deadline = clock_.Now() + milliseconds(10)});
  const auto cancelled = Submit({.index = 2});
  cancelled->Cancel();
  clock_.Advance(milliseconds(10));
  RunOnce();
  EXPECT_EQ(Answer(1, 2).status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Answer(2, 2).status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(observer_.DropsFor(DropReason::kExpiredInQueue), 1);
  EXPECT_EQ(observer_.DropsFor(DropReason::kCancelledInQueue), 1);
  EXPECT_EQ(observer_.queue_times, 1);  // Those that never started have no queue time.
}

TEST_F(BatchLoopTest, JobThatFinishedWhileItWasCancelledCountsAsFinished) {
  MakeLoops({100});
  const ToySpec spec{.steps = 2};
  const auto job = Submit(spec);
  job->on_last_step = [&] { job->Cancel(); };
  RunUntilIdle();
  ExpectRightAnswer(spec, 1);
}

TEST_F(BatchLoopTest, JobThatNeedsNoStepIsDoneAfterItsStart) {
  MakeLoops({100});
  const ToySpec spec{.steps = 0};
  Submit(spec);
  RunUntilIdle();
  ExpectRightAnswer(spec, 1);
  EXPECT_EQ(executor().steps, 0);
  EXPECT_EQ(executor().free_blocks(), 100);
}

TEST_F(BatchLoopTest, ThrowingStartLosesExactlyThoseThatEntered) {
  MakeLoops({100});
  const ToySpec survivor{.index = 0, .steps = 6};
  Submit(survivor);
  RunOnce();
  Submit({.index = 1});
  Submit({.index = 2});
  executor().before_start = [] { throw std::runtime_error("primitive failed"); };
  RunOnce();
  executor().before_start = nullptr;
  for (const size_t lost : {1, 2}) {
    const ToyAnswer answer = Answer(lost, 2);
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(answer.status.message()), testing::HasSubstr("primitive failed"));
  }
  RunUntilIdle();
  ExpectRightAnswer(survivor, 3);
  EXPECT_EQ(executor().free_blocks(), 100);
}

TEST_F(BatchLoopTest, ThrowingStepLosesWhatRanAndTheLoopLivesOn) {
  MakeLoops({100});
  Submit({.index = 0, .steps = 6});
  Submit({.index = 1, .steps = 6});
  executor().before_step = [] { throw std::bad_alloc(); };
  RunOnce();
  EXPECT_EQ(Answer(0, 2).status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Answer(1, 2).status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(executor().free_blocks(), 100);
  EXPECT_EQ(queue_->num_running(), 0);
  executor().before_step = nullptr;
  const ToySpec next{.index = 2, .steps = 6};
  Submit(next);
  RunUntilIdle();
  ExpectRightAnswer(next, 3);
}

TEST_F(BatchLoopTest, ExceptionOfAnyTypeIsCaught) {
  MakeLoops({100});
  Submit({});
  executor().before_step = [] { throw 42; };
  RunOnce();
  EXPECT_EQ(Answer(0, 1).status.code(), absl::StatusCode::kInternal);
}

TEST_F(BatchLoopTest, FailingStepSparesTheJobThatNeededNone) {
  MakeLoops({100});
  const ToySpec done_at_start{.index = 0, .steps = 0};
  Submit(done_at_start);
  Submit({.index = 1, .steps = 6});
  executor().before_step = [] { throw std::bad_alloc(); };
  RunOnce();
  ExpectRightAnswer(done_at_start, 2);
  EXPECT_EQ(Answer(1, 2).status.code(), absl::StatusCode::kInternal);
}

TEST_F(BatchLoopTest, PreemptedJobStartsAgainAndGivesTheSameAnswer) {
  MakeLoops({9});  // Each needs 2 to start and 1 + 10 in the end: two do not fit.
  const ToySpec older{.index = 0, .steps = 16, .cross_blocks = 1};
  const ToySpec younger{.index = 1, .steps = 16, .cross_blocks = 1};
  Submit(older);
  clock_.Advance(milliseconds(1));
  Submit(younger);
  RunUntilIdle();
  ExpectRightAnswer(older, 2);
  ExpectRightAnswer(younger, 2);
  EXPECT_GE(observer_.preempts, 1);
  EXPECT_GE(executor().starts, 2);
  EXPECT_EQ(observer_.queue_times, 2);  // Once per job, not per start.
  EXPECT_EQ(executor().free_blocks(), 9);
}

TEST_F(BatchLoopTest, PreemptedJobKeepsItsPlaceInTheQueue) {
  limits_.max_running = 2;
  MakeLoops({9});
  const ToySpec first{.index = 0, .steps = 16};
  const ToySpec second{.index = 1, .steps = 16};
  const ToySpec third{.index = 2, .steps = 2};
  for (const ToySpec& spec : {first, second, third}) {
    Submit(spec);
    clock_.Advance(milliseconds(1));
  }
  RunUntilIdle();
  ASSERT_GE(observer_.preempts, 1);
  // There is one place beside the first: the second has it back before the third, which came later.
  EXPECT_EQ(executor().started[2], 1u);
  EXPECT_EQ(executor().started.back(), 2u);
  for (const ToySpec& spec : {first, second, third}) ExpectRightAnswer(spec, 3);
}

TEST_F(BatchLoopTest, TwoWorkersShareFairly) {
  MakeLoops({100, 100});
  for (size_t i = 0; i < 6; ++i) Submit({.index = i, .steps = 4});
  loops_[0]->RunOnce();
  loops_[1]->RunOnce();
  EXPECT_EQ(loops_[0]->num_running(), 3);
  EXPECT_EQ(loops_[1]->num_running(), 3);
}

TEST_F(BatchLoopTest, SingleJobIsLeftToTheIdleWorker) {
  MakeLoops({100, 100});
  Submit({.index = 0, .steps = 9});
  loops_[0]->RunOnce();
  Submit({.index = 1, .steps = 9});
  loops_[0]->RunOnce();
  EXPECT_EQ(loops_[0]->num_running(), 1);
  EXPECT_EQ(queue_->num_waiting(), 1);
  loops_[1]->RunOnce();
  EXPECT_EQ(loops_[1]->num_running(), 1);
}

TEST_F(BatchLoopTest, WorkerTakesMoreThanItsShareWhereTheOthersAreFull) {
  MakeLoops({100, 3});
  for (size_t i = 0; i < 6; ++i) Submit({.index = i, .steps = 9, .cross_blocks = 2});
  loops_[1]->RunOnce();
  loops_[1]->RunOnce();  // Finds that it is full.
  EXPECT_EQ(loops_[1]->num_running(), 1);
  loops_[0]->RunOnce();
  EXPECT_EQ(loops_[0]->num_running(), 5);
}

TEST_F(BatchLoopTest, ACoreIsHeldWhileThereIsWorkAndNotAfterwards) {
  CoreShares shares(1, clock_, std::chrono::hours(1));
  const auto model = shares.Add(100), other = shares.Add(100);
  MakeLoops({100});
  std::vector<int32_t> cores;
  auto executor = std::make_unique<ToyExecutor>(100);
  executor->before_step = [this] { clock_.Advance(milliseconds(7)); };
  BatchLoop loop(0, std::move(executor),
                 {limits_, *queue_, *completions_, observer_, clock_, model.get(),
                  [&](int32_t core) { cores.push_back(core); }});
  Submit({.index = 0, .steps = 2});
  EXPECT_TRUE(loop.RunOnce());
  EXPECT_TRUE(loop.holds_core());
  EXPECT_EQ(other->TryTake(0).core, CoreShares::kNoCore);
  EXPECT_EQ(observer_.last_step().core_time, milliseconds(7));
  EXPECT_EQ(observer_.last_step().core_wait, Duration::zero());
  EXPECT_TRUE(loop.RunOnce());  // The last step.
  EXPECT_FALSE(loop.holds_core());
  EXPECT_EQ(observer_.last_step().core_time, milliseconds(7));
  EXPECT_TRUE(cores.empty());  // Its own number all the time.
  const auto free = other->TryTake(0);
  EXPECT_EQ(free.core, 0);
  other->Return(free);
  EXPECT_FALSE(loop.RunOnce());
  Submit({.index = 1, .steps = 9});
  EXPECT_TRUE(loop.RunOnce());
  loop.CompleteAll(absl::UnavailableError("bye"));
  EXPECT_FALSE(loop.holds_core());
}

TEST_F(BatchLoopTest, CompleteAllLetsEverythingGo) {
  MakeLoops({100});
  Submit({.index = 0, .steps = 9});
  Submit({.index = 1, .steps = 9});
  RunOnce();
  loops_[0]->CompleteAll(absl::UnavailableError("bye"));
  EXPECT_EQ(Answer(0, 2).status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Answer(1, 2).status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(executor().free_blocks(), 100);
  EXPECT_EQ(loops_[0]->num_running(), 0);
}

}  // namespace
}  // namespace attendant
