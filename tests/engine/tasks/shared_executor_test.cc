#include "engine/tasks/shared_executor.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "tests/engine/scheduler/toy_jobs.h"

namespace attendant {
namespace {

class CountingEncoder final : public EncodeExecutor {
 public:
  using EncodeExecutor::EncodeExecutor;
  std::vector<size_t> batches;

 private:
  void Encode(absl::Span<EncodeJob* const> jobs, const ThreadTeam&) override {
    batches.push_back(jobs.size());
  }
};

class SharedExecutorTest : public testing::Test {
 protected:
  static EncodeJob Text() { return EncodeJob(3, 0, kInfiniteFuture, {}, {}); }

  ToyExecutor* decode_ = new ToyExecutor(8);
  CountingEncoder* encode_ = nullptr;
  SharedExecutor shared_{std::unique_ptr<StepExecutor>(decode_),
                         [this](const EncodeExecutor::Place& place) {
                           auto encode = std::make_unique<CountingEncoder>(place);
                           encode_ = encode.get();
                           return encode;
                         },
                         Clock::Real()};
  ToyAnswers answers_{1};
  ToyJob toy_{{.index = 0, .cross_blocks = 2}, answers_};
};

TEST_F(SharedExecutorTest, EachKindGoesToItsOwn) {
  EncodeJob first = Text(), second = Text();
  std::vector<Job*> jobs = {&first, &toy_, &second};
  shared_.Start(jobs);
  EXPECT_EQ(encode_->batches, std::vector<size_t>{2});
  EXPECT_EQ(decode_->started, std::vector<size_t>{0});
  EXPECT_TRUE(first.finished() && second.finished());
  EXPECT_FALSE(toy_.finished());
  EXPECT_EQ(shared_.num_blocks(), 8);
  EXPECT_EQ(shared_.free_blocks(), 6);
  Job* const toy = &toy_;
  shared_.Step({&toy, 1});
  EXPECT_EQ(decode_->steps, 1);
  for (Job* job : jobs) shared_.Release(*job);
  EXPECT_EQ(shared_.free_blocks(), 8);
}

TEST_F(SharedExecutorTest, NobodyIsStartedWithNothing) {
  EncodeJob text = Text();
  Job* job = &text;
  shared_.Start({&job, 1});
  EXPECT_EQ(decode_->starts, 0);
  job = &toy_;
  shared_.Start({&job, 1});
  EXPECT_EQ(encode_->batches.size(), 1u);
  shared_.Release(toy_);
}

TEST_F(SharedExecutorTest, JobsOfAStartThatThrewCanBeReleased) {
  decode_->before_start = [] { throw std::runtime_error("no memory"); };
  EncodeJob text = Text();
  std::vector<Job*> jobs = {&toy_, &text};
  EXPECT_THROW(shared_.Start(jobs), std::runtime_error);
  for (Job* job : jobs) shared_.Release(*job);
  EXPECT_EQ(shared_.free_blocks(), 8);
}

}  // namespace
}  // namespace attendant
