// The promises in batch_planner.h, on random inputs, each checked by its own words and not by the planner's.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

#include "engine/scheduler/batch_planner.h"

namespace attendant {
namespace {

const TimePoint kAnyTime = TimePoint() + std::chrono::hours(1);

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int32_t Between(int32_t low, int32_t high) {
    return std::uniform_int_distribution<int32_t>(low, high)(engine_);
  }
  bool OneIn(int32_t n) { return Between(1, n) == 1; }

 private:
  std::mt19937_64 engine_;
};

struct Case {
  PlannerLimits limits;
  std::vector<WaitingJob> waiting;
  std::vector<RunningJob> running;
  int32_t free_blocks = 0;
  int32_t num_blocks = 0;
  int32_t fair_share = 0;
  PlannerInput input() const {
    return {.waiting = waiting,
            .running = running,
            .free_blocks = free_blocks,
            .num_blocks = num_blocks,
            .fair_share = fair_share,
            .now = kAnyTime};
  }
};

template <typename AnyJob>
void Common(Random& random, AnyJob& job) {
  job.max_rows = random.Between(1, 8);
  job.priority = random.Between(-2, 2);
  job.arrival = kAnyTime - std::chrono::milliseconds(random.Between(0, 5000));
  if (random.OneIn(4)) job.deadline = kAnyTime + std::chrono::milliseconds(random.Between(-5, 5));
  job.cancelled = random.OneIn(8);
}

Case RandomCase(uint64_t seed) {
  Random random(seed);
  Case c;
  c.limits.max_rows = random.Between(1, 40);
  c.limits.max_encode_tokens = random.Between(1, 150);
  c.limits.max_running = random.Between(1, 12);
  c.limits.spare_blocks_per_job = random.Between(0, 2);
  c.limits.priority_step = std::chrono::milliseconds(random.Between(0, 2000));
  c.fair_share = random.OneIn(2) ? 0 : random.Between(1, 8);
  c.num_blocks = random.Between(20, 120);
  c.free_blocks = c.num_blocks;
  for (int32_t i = random.Between(0, 10); i > 0; --i) {
    RunningJob job;
    Common(random, job);
    job.held_blocks = random.Between(0, std::min(10, c.free_blocks));
    job.blocks_for_next_step = random.Between(0, 8);  // With what it holds at most 18 <= num_blocks.
    c.free_blocks -= job.held_blocks;
    c.running.push_back(job);
  }
  for (int32_t i = random.Between(0, 12); i > 0; --i) {
    WaitingJob job;
    Common(random, job);
    job.encode_tokens = random.OneIn(5) ? random.Between(1, 160) : random.Between(1, 30);
    job.start_blocks = random.Between(1, 20);
    c.waiting.push_back(job);
  }
  return c;
}

template <typename AnyJob>
bool Leaves(const AnyJob& job) {
  return job.cancelled || job.deadline <= kAnyTime;
}

template <typename AnyJob>
auto RankKey(const Case& c, const AnyJob& job, int32_t index) {
  return std::tuple(job.arrival - job.priority * c.limits.priority_step, job.arrival, index);
}

// Indices of jobs that stay, first in rank first.
template <typename AnyJob>
std::vector<int32_t> InRank(const Case& c, const std::vector<AnyJob>& jobs) {
  std::vector<int32_t> order;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (!Leaves(jobs[i])) order.push_back(static_cast<int32_t>(i));
  }
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return RankKey(c, jobs[static_cast<size_t>(a)], a) < RankKey(c, jobs[static_cast<size_t>(b)], b);
  });
  return order;
}

template <typename AnyJob>
std::vector<int32_t> AllThatLeave(const std::vector<AnyJob>& jobs) {
  std::vector<int32_t> indices;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (Leaves(jobs[i])) indices.push_back(static_cast<int32_t>(i));
  }
  return indices;
}

// Free blocks after the next steps of the `kept` running ones and the admitted, given the plan.
int64_t SpareBlocks(const Case& c, const std::vector<int32_t>& kept, const std::vector<int32_t>& admitted) {
  int64_t spare = c.num_blocks;
  for (const int32_t i : kept) {
    spare -= c.running[static_cast<size_t>(i)].held_blocks +
             c.running[static_cast<size_t>(i)].blocks_for_next_step;
  }
  for (const int32_t i : admitted) spare -= c.waiting[static_cast<size_t>(i)].start_blocks;
  return spare;
}

bool FitsAfter(const Case& c, const std::vector<int32_t>& kept, const std::vector<int32_t>& admitted) {
  int64_t rows = 0;
  int64_t tokens = 0;
  const auto count = static_cast<int64_t>(kept.size() + admitted.size());
  for (const int32_t i : kept) rows += c.running[static_cast<size_t>(i)].max_rows;
  for (const int32_t i : admitted) {
    rows += c.waiting[static_cast<size_t>(i)].max_rows;
    tokens += c.waiting[static_cast<size_t>(i)].encode_tokens;
  }
  return rows <= c.limits.max_rows && count <= c.limits.max_running &&
         (tokens <= c.limits.max_encode_tokens || admitted.size() == 1) &&
         (c.fair_share == 0 || count <= c.fair_share) &&
         SpareBlocks(c, kept, admitted) >= count * c.limits.spare_blocks_per_job;
}

class PlanCheck {
 public:
  PlanCheck(const Case& c, const Plan& plan) : c_(c), plan_(plan), kept_(InRank(c, c.running)) {
    for (const int32_t i : plan.preempt) kept_.erase(std::remove(kept_.begin(), kept_.end(), i), kept_.end());
  }

  void All() {
    EXPECT_EQ(plan_.drop_waiting, AllThatLeave(c_.waiting));
    EXPECT_EQ(plan_.drop_running, AllThatLeave(c_.running));
    Preemption();
    Admission();
  }

 private:
  void Preemption() {
    const std::vector<int32_t> order = InRank(c_, c_.running);
    ASSERT_LE(plan_.preempt.size(), order.empty() ? 0 : order.size() - 1)
        << "the first in rank was preempted";
    EXPECT_TRUE(std::equal(plan_.preempt.begin(), plan_.preempt.end(), order.rbegin()));
    EXPECT_GE(SpareBlocks(c_, kept_, {}), 0) << "a next step does not fit";
    if (plan_.preempt.empty()) return;
    std::vector<int32_t> one_more = kept_;
    one_more.push_back(plan_.preempt.back());
    EXPECT_LT(SpareBlocks(c_, one_more, {}), 0) << "preempted one too many";
    EXPECT_TRUE(plan_.admit.empty());
  }

  void Admission() {
    const std::vector<int32_t> order = InRank(c_, c_.waiting);
    ASSERT_LE(plan_.admit.size(), order.size());
    EXPECT_TRUE(std::equal(plan_.admit.begin(), plan_.admit.end(), order.begin())) << "overtaken";
    if (!order.empty() && kept_.empty()) {
      EXPECT_FALSE(plan_.admit.empty()) << "no progress";
    }
    EXPECT_GE(SpareBlocks(c_, kept_, plan_.admit), 0);
    const size_t always = kept_.empty() ? 1 : 0;
    if (plan_.admit.size() > always) {
      EXPECT_TRUE(FitsAfter(c_, kept_, plan_.admit));
    }
    if (plan_.admit.size() == order.size() || !plan_.preempt.empty()) return;
    std::vector<int32_t> one_more = plan_.admit;
    one_more.push_back(order[plan_.admit.size()]);
    EXPECT_FALSE(FitsAfter(c_, kept_, one_more)) << "one more would have fitted";
  }

  const Case& c_;
  const Plan& plan_;
  std::vector<int32_t> kept_;  // Running ones that go on.
};

TEST(MakePlanPropertyTest, KeepsEveryPromiseOnRandomInputs) {
  size_t preempting = 0;
  size_t admitting = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    const Case c = RandomCase(seed);
    const Plan plan = MakePlan(c.limits, c.input());
    PlanCheck(c, plan).All();
    preempting += plan.preempt.empty() ? 0 : 1;
    admitting += plan.admit.size() > 1 ? 1 : 0;
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(preempting, 1000u);  // The cases are not trivial.
  EXPECT_GT(admitting, 1000u);
}

TEST(MakePlanPropertyTest, TheSameValuesGiveTheSamePlan) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Case c = RandomCase(seed);
    const Plan first = MakePlan(c.limits, c.input());
    const Plan second = MakePlan(c.limits, c.input());
    EXPECT_EQ(first.admit, second.admit);
    EXPECT_EQ(first.preempt, second.preempt);
  }
}

}  // namespace
}  // namespace attendant
