#include "engine/base/core_shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Held = CoreShares::Model::Held;

constexpr Duration kNever = std::chrono::hours(1);

void AwaitWaiting(const CoreShares& shares, int32_t count) {
  while (shares.num_waiting() != count) std::this_thread::yield();
}

TEST(CoreSharesTest, AFreeCoreIsTakenAtOnceThePreferredIfItIsFree) {
  CoreShares shares(3, Clock::Real(), kNever);
  const auto model = shares.Add(100);
  const Held first = model->Take(1);
  EXPECT_EQ(first.core, 1);
  const Held second = model->Take(1);
  EXPECT_EQ(second.core, 2);
  const Held third = model->Take(7);  // Any number will do.
  EXPECT_EQ(third.core, 0);
  for (const Held& held : {first, second, third}) model->Return(held);
  EXPECT_EQ(model->num_cores(), 3);
}

TEST(CoreSharesTest, ReturnTellsHowLongItWasHeld) {
  FakeClock clock;
  CoreShares shares(1, clock, kNever);
  const auto model = shares.Add(100);
  const Held held = model->Take(0);
  clock.Advance(milliseconds(30));
  EXPECT_EQ(model->Return(held), milliseconds(30));
}

TEST(CoreSharesTest, TryTakeTakesThatCoreOrNone) {
  CoreShares shares(2, Clock::Real(), kNever);
  const auto model = shares.Add(100);
  const Held own = model->Take(0);
  EXPECT_EQ(model->TryTake(0).core, CoreShares::kNoCore);
  EXPECT_EQ(model->TryTake(2).core, CoreShares::kNoCore);
  EXPECT_EQ(model->TryTake(-1).core, CoreShares::kNoCore);
  const Held lent = model->TryTake(1);
  EXPECT_EQ(lent.core, 1);
  model->Return(lent);
  model->Return(own);
}

TEST(CoreSharesTest, ACoreThatIsLentCountsAsTaken) {
  CoreShares shares(2, Clock::Real(), kNever);
  const auto borrower = shares.Add(100), other = shares.Add(100);
  const Held own = borrower->Take(0);
  const Held lent = borrower->TryTake(1);
  std::atomic<bool> has_core = false;
  std::thread waiter([&] {
    const Held held = other->Take(1);
    has_core = true;
    EXPECT_EQ(held.core, 1);
    other->Return(held);
  });
  AwaitWaiting(shares, 1);
  EXPECT_FALSE(has_core);
  borrower->Return(lent);
  waiter.join();
  borrower->Return(own);
}

TEST(CoreSharesTest, TheModelThatHadLessIsNext) {
  FakeClock clock;
  CoreShares shares(1, clock, kNever);
  const auto heavy = shares.Add(100), light = shares.Add(100), blocker = shares.Add(100);
  // Both have come before: the heavy one ran for a second, the light one for ten milliseconds.
  const Held block = blocker->Take(0);
  clock.Advance(seconds(1));
  std::vector<int> order;
  std::vector<std::thread> threads;
  const auto start = [&](CoreShares::Model& model, int name, Duration takes) {
    const int32_t before = shares.num_waiting();
    threads.emplace_back([&order, &clock, &model, name, takes] {
      const Held held = model.Take(0);
      order.push_back(name);  // One at a time: there is one core.
      clock.Advance(takes);
      model.Return(held);
    });
    AwaitWaiting(shares, before + 1);
  };
  start(*heavy, 0, seconds(1));
  start(*heavy, 0, seconds(1));
  start(*light, 1, milliseconds(10));
  start(*light, 1, milliseconds(10));
  start(*light, 1, milliseconds(10));
  blocker->Return(block);
  for (std::thread& thread : threads) thread.join();
  // One each, then all of the light one, which have had less together than one of the heavy.
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 1, 1, 0));
}

TEST(CoreSharesTest, RenewingKeepsTheCoreWhileNobodyElseIsDue) {
  FakeClock clock;
  CoreShares shares(2, clock, kNever);
  const auto model = shares.Add(100);
  Held held = model->Take(1);
  clock.Advance(milliseconds(1));
  const Held renewed = model->Renew(held);
  EXPECT_EQ(renewed.core, 1);
  EXPECT_EQ(renewed.since, clock.Now());
  model->Return(renewed);
}

TEST(CoreSharesTest, RenewingHandsOverToWhoIsBehindAndGetsItsTurnAgain) {
  FakeClock clock;
  CoreShares shares(1, clock, kNever);
  const auto one = shares.Add(100), other = shares.Add(100);
  const Held held = one->Take(0);
  std::vector<int> order;
  std::thread waiter([&] {
    const Held mine = other->Take(0);
    order.push_back(2);
    clock.Advance(milliseconds(10));
    other->Return(mine);
  });
  AwaitWaiting(shares, 1);
  clock.Advance(milliseconds(1));
  const Held again = one->Renew(held);
  order.push_back(1);
  EXPECT_THAT(order, testing::ElementsAre(2, 1));
  one->Return(again);
  waiter.join();
}

// A clock that goes on by `step` each time it is asked, and by ever more once it hurries.
class HurryingClock final : public Clock {
 public:
  TimePoint Now() const override {
    const std::lock_guard lock(mutex_);
    now_ += step_;
    if (hurries_) step_ *= 4;
    return now_;
  }
  void Hurry(Duration step) {
    const std::lock_guard lock(mutex_);
    step_ = step;
    hurries_ = true;
  }

 private:
  mutable std::mutex mutex_;
  mutable TimePoint now_{std::chrono::hours(1)};  // Guarded by mutex_, as are ...
  mutable Duration step_ = std::chrono::nanoseconds(10);
  bool hurries_ = false;
};

TEST(CoreSharesTest, WhoseTurnItIsIsDecidedOnceHoweverLateItGets) {
  HurryingClock clock;
  CoreShares shares(2, clock, kNever);
  const auto light = shares.Add(100), heavy = shares.Add(200);
  const Held a = light->Take(0);
  const Held b = heavy->Take(1);
  std::thread other([&] { heavy->Return(heavy->Take(0)); });  // One more of the heavy one waits.
  AwaitWaiting(shares, 1);
  // At the moment of the first question the heavy one is behind; long after it, no more.
  clock.Hurry(std::chrono::microseconds(20));
  std::thread renewing([&] { light->Return(light->Renew(a)); });
  other.join();
  heavy->Return(b);
  renewing.join();
  EXPECT_EQ(shares.num_waiting(), 0);
}

TEST(CoreSharesTest, PatienceBeginsAlsoWhenALastCoreIsHandedOverByRenewing) {
  CoreShares shares(1, Clock::Real(), milliseconds(1));
  const auto model = shares.Add(100), other = shares.Add(100);
  const Held first = model->Take(0);
  // Served last, as long as the core is not given back: the other one's step has no end.
  std::promise<Held> others, seconds_own, firsts_own;
  std::thread second([&] { seconds_own.set_value(model->Take(0)); });
  AwaitWaiting(shares, 1);
  std::thread long_step([&] { others.set_value(other->Take(0)); });
  AwaitWaiting(shares, 2);
  std::thread renewing([&] { firsts_own.set_value(model->Renew(first)); });
  const Held held = others.get_future().get();
  auto beside = seconds_own.get_future();
  EXPECT_EQ(beside.wait_for(seconds(10)), std::future_status::ready);
  other->Return(held);
  second.join();
  long_step.join();
  model->Return(beside.get());
  renewing.join();
  model->Return(firsts_own.get_future().get());
}

TEST(CoreSharesTest, WorkersOfOneModelTakeTurns) {
  CoreShares shares(1, Clock::Real(), kNever);
  const auto model = shares.Add(100);
  const Held held = model->Take(0);
  std::atomic<bool> had_its_turn = false;
  std::thread waiter([&] {
    const Held mine = model->Take(0);
    had_its_turn = true;
    model->Return(mine);
  });
  AwaitWaiting(shares, 1);
  const Held again = model->Renew(held);
  EXPECT_TRUE(had_its_turn);
  model->Return(again);
  waiter.join();
}

TEST(CoreSharesTest, AStepThatIsTooLongIsNotWaitedFor) {
  CoreShares shares(1, Clock::Real(), milliseconds(1));
  const auto heavy = shares.Add(100), light = shares.Add(100);
  const Held held = heavy->Take(0);
  const Held beside = light->Take(0);  // Would wait for ever.
  EXPECT_EQ(beside.core, CoreShares::kNoCore);
  light->Return(beside);
  heavy->Return(held);
  EXPECT_EQ(shares.num_waiting(), 0);
}

TEST(CoreSharesTest, OneWorkerOfAModelAtMostRunsBeside) {
  CoreShares shares(1, Clock::Real(), milliseconds(1));
  const auto heavy = shares.Add(100), light = shares.Add(100);
  const Held held = heavy->Take(0);
  const Held beside = light->Take(0);
  ASSERT_EQ(beside.core, CoreShares::kNoCore);
  std::atomic<int> core = -2;
  std::thread second([&] {
    const Held mine = light->Take(0);
    core = mine.core;
    light->Return(mine);
  });
  AwaitWaiting(shares, 1);
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_EQ(core, -2);
  light->Return(beside);  // Now nothing of it runs, and its patience is short.
  second.join();
  EXPECT_EQ(core, CoreShares::kNoCore);
  heavy->Return(held);
}

TEST(CoreSharesTest, WhoIsAheadOfItsPartDoesNotRunBeside) {
  CoreShares shares(1, Clock::Real(), milliseconds(1));
  const auto greedy = shares.Add(1), other = shares.Add(1000);
  const Held first = other->Take(0);
  std::atomic<bool> greedy_ran = false;
  const Held beside = greedy->Take(0);  // At first nobody is ahead.
  std::this_thread::sleep_for(milliseconds(20));
  greedy->Return(beside);  // 20 ms at weight 1 are as much as 20 s of the other.
  std::thread again([&] {
    const Held held = greedy->Take(0);
    greedy_ran = true;
    greedy->Return(held);
  });
  AwaitWaiting(shares, 1);
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(greedy_ran);
  other->Return(first);
  again.join();
}

// Many workers of three models for a while: no core is held twice, no wake-up is lost, all go home.
TEST(CoreSharesTest, ManyWorkersHoldACoreOneAtATime) {
  constexpr int32_t kCores = 3;
  CoreShares shares(kCores, Clock::Real(), kNever);
  std::vector<std::unique_ptr<CoreShares::Model>> models;
  for (const int32_t weight : {100, 300, 1}) models.push_back(shares.Add(weight));
  std::atomic<int> holders[kCores] = {};
  std::atomic<int> steps = 0;
  std::vector<std::thread> workers;
  for (int32_t i = 0; i < 12; ++i) {
    workers.emplace_back([&, i] {
      CoreShares::Model& model = *models[static_cast<size_t>(i) % models.size()];
      Held held;
      for (int round = 0; round < 1000; ++round) {
        held = round % 4 == 0 ? model.Take(i) : model.Renew(held);
        ASSERT_GE(held.core, 0);
        EXPECT_EQ(holders[held.core].fetch_add(1), 0);
        const Held lent = model.TryTake((held.core + 1) % kCores);
        if (lent.core != CoreShares::kNoCore) {
          EXPECT_EQ(holders[lent.core].fetch_add(1), 0);
          holders[lent.core].fetch_sub(1);
          model.Return(lent);
        }
        holders[held.core].fetch_sub(1);
        if (round % 4 == 3) model.Return(held);
        ++steps;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(steps, 12'000);
  EXPECT_EQ(shares.num_waiting(), 0);
}

// The same with impatient models, which run beside.
TEST(CoreSharesTest, ImpatientWorkersAllGoHome) {
  CoreShares shares(1, Clock::Real(), std::chrono::microseconds(50));
  std::vector<std::unique_ptr<CoreShares::Model>> models;
  for (int i = 0; i < 3; ++i) models.push_back(shares.Add(100));
  std::atomic<int> beside = 0;
  std::vector<std::thread> workers;
  for (int32_t i = 0; i < 6; ++i) {
    workers.emplace_back([&, i] {
      CoreShares::Model& model = *models[static_cast<size_t>(i) % models.size()];
      Held held;
      for (int round = 0; round < 200; ++round) {
        held = round % 2 == 0 ? model.Take(i) : model.Renew(held);
        if (held.core == CoreShares::kNoCore) ++beside;
        if (round % 10 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
        if (round % 2 == 1) model.Return(held);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(shares.num_waiting(), 0);
  EXPECT_GT(beside, 0);
}

}  // namespace
}  // namespace attendant
