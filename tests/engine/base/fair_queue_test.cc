#include "engine/base/fair_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

namespace attendant {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Servers and flows on a time of their own: who is free takes who is next.
class Simulation {
 public:
  struct FlowSpec {
    int32_t weight = 100;
    int32_t workers = 1;                        // Requests that it has at once, ...
    std::function<Duration()> service;          // ... each taking so long, ...
    std::function<Duration()> think = nullptr;  // ... with such a pause between. Null: none.
  };

  Simulation(int32_t num_servers, std::vector<FlowSpec> flows)
      : num_servers_(num_servers), specs_(std::move(flows)), queue_(num_servers) {
    for (const FlowSpec& spec : specs_) flows_.push_back(queue_.Add(spec.weight));
    served_.resize(specs_.size());
    longest_wait_.resize(specs_.size());
    arrived_.resize(specs_.size());
    for (size_t flow = 0; flow < specs_.size(); ++flow) {
      for (int32_t i = 0; i < specs_[flow].workers; ++i) Arrive(flow);
    }
  }

  void RunFor(Duration time) {
    const TimePoint end = now_ + time;
    while (true) {
      Serve();
      if (events_.empty() || events_.top().at > end) break;
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      if (event.is_arrival) {
        Arrive(event.flow);
        continue;
      }
      const auto& think = specs_[event.flow].think;
      const Duration pause = think ? think() : Duration::zero();
      if (pause == Duration::zero()) {
        Arrive(event.flow);  // First: it is not away for a moment.
      } else {
        events_.push({now_ + pause, true, event.flow, {}});
      }
      queue_.End(flows_[event.flow], event.began, now_);
      --busy_;
      served_[event.flow] += now_ - event.began;
    }
    now_ = end;
  }

  double Seconds(size_t flow) const { return std::chrono::duration<double>(served_[flow]).count(); }
  Duration longest_wait(size_t flow) const { return longest_wait_[flow]; }
  bool was_ever_idle_with_work() const { return was_ever_idle_with_work_; }
  void AddFlow(FlowSpec spec) {
    specs_.push_back(std::move(spec));
    flows_.push_back(queue_.Add(specs_.back().weight));
    served_.emplace_back();
    longest_wait_.emplace_back();
    arrived_.emplace_back();
    for (int32_t i = 0; i < specs_.back().workers; ++i) Arrive(specs_.size() - 1);
  }

 private:
  struct Event {
    TimePoint at;
    bool is_arrival = false;
    size_t flow = 0;
    TimePoint began;
    bool operator>(const Event& other) const { return at > other.at; }
  };

  void Arrive(size_t flow) {
    queue_.Wait(flows_[flow], now_);
    arrived_[flow].push_back(now_);
  }
  void Serve() {
    while (busy_ < num_servers_) {
      const FairQueue::Flow next = queue_.Next(now_);
      if (next == FairQueue::kNone) {
        was_ever_idle_with_work_ |= queue_.num_waiting() > 0;
        return;
      }
      const auto flow = static_cast<size_t>(std::find(flows_.begin(), flows_.end(), next) - flows_.begin());
      queue_.Begin(next, now_);
      longest_wait_[flow] = std::max(longest_wait_[flow], now_ - arrived_[flow].front());
      arrived_[flow].erase(arrived_[flow].begin());
      ++busy_;
      events_.push({now_ + specs_[flow].service(), false, flow, now_});
    }
  }

  const int32_t num_servers_;
  std::vector<FlowSpec> specs_;
  FairQueue queue_;
  std::vector<FairQueue::Flow> flows_;
  TimePoint now_{seconds(1000)};
  int32_t busy_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Duration> served_;
  std::vector<Duration> longest_wait_;
  std::vector<std::vector<TimePoint>> arrived_;  // Of the waiting, in order.
  bool was_ever_idle_with_work_ = false;
};

std::function<Duration()> Always(Duration time) {
  return [time] { return time; };
}

TEST(FairQueueTest, EqualWeightsGetEqualTimeWhateverAStepTakes) {
  Simulation simulation(1, {{100, 1, Always(milliseconds(50))}, {100, 1, Always(milliseconds(1))}});
  simulation.RunFor(seconds(100));
  EXPECT_NEAR(simulation.Seconds(0), 50, 0.1);
  EXPECT_NEAR(simulation.Seconds(1), 50, 0.1);
}

TEST(FairQueueTest, ThreeTimesTheWeightIsThreeTimesTheTime) {
  for (const int32_t servers : {1, 2, 4}) {
    Simulation simulation(servers,
                          {{300, servers, Always(milliseconds(7))}, {100, servers, Always(milliseconds(3))}});
    simulation.RunFor(seconds(100));
    EXPECT_NEAR(simulation.Seconds(0) / simulation.Seconds(1), 3, 0.02) << servers;
    EXPECT_NEAR(simulation.Seconds(0) + simulation.Seconds(1), 100.0 * servers, 0.1) << servers;
  }
}

TEST(FairQueueTest, TheExtremesOfTheWeightsHold) {
  Simulation simulation(1, {{1000, 1, Always(milliseconds(1))}, {1, 1, Always(milliseconds(1))}});
  simulation.RunFor(seconds(1001));
  EXPECT_NEAR(simulation.Seconds(0), 1000, 0.1);
  EXPECT_NEAR(simulation.Seconds(1), 1, 0.1);
}

TEST(FairQueueTest, WhoCannotUseItsPartLeavesItToTheOthers) {
  // One worker cannot use more than one of four servers.
  Simulation simulation(4, {{100, 4, Always(milliseconds(5))}, {900, 1, Always(milliseconds(5))}});
  simulation.RunFor(seconds(100));
  EXPECT_GT(simulation.Seconds(1), 95);  // Short of 100 only by what its one worker waits for a step to end.
  EXPECT_NEAR(simulation.Seconds(0) + simulation.Seconds(1), 400, 0.1);
}

TEST(FairQueueTest, IdleTimeEarnsNothing) {
  // Away for a minute, then at it without a pause.
  bool is_first = true;
  Simulation simulation(1, {{100, 1, Always(milliseconds(2))},
                            {100, 1, Always(milliseconds(2)), [&is_first]() -> Duration {
                               return std::exchange(is_first, false) ? Duration(seconds(60)) : Duration(0);
                             }}});
  simulation.RunFor(seconds(60));
  const double before = simulation.Seconds(0);
  EXPECT_GT(before, 59.9);
  simulation.RunFor(seconds(10));
  EXPECT_NEAR(simulation.Seconds(0) - before, 5, 0.05);
}

TEST(FairQueueTest, WhatWasTakenWhileNobodyWantedItIsHeldAgainstNobody) {
  // Three servers' worth for a minute while the other flow could use one only; then a third comes.
  Simulation simulation(4, {{100, 4, Always(milliseconds(5))}, {100, 1, Always(milliseconds(5))}});
  simulation.RunFor(seconds(60));
  const double before = simulation.Seconds(0);
  simulation.AddFlow({100, 4, Always(milliseconds(5))});
  simulation.RunFor(seconds(1));
  // 4 seconds for three, one of which takes 1 at most: 1.5 each for the others.
  EXPECT_NEAR(simulation.Seconds(0) - before, 1.5, 0.2);
}

TEST(FairQueueTest, AFlowThatEndedLeavesItsPlace) {
  FairQueue queue(1);
  const TimePoint now{seconds(5)};
  const FairQueue::Flow first = queue.Add(100);
  queue.Wait(first, now);
  EXPECT_EQ(queue.Next(now), first);
  queue.Begin(first, now);
  EXPECT_EQ(queue.num_served(first), 1);
  EXPECT_EQ(queue.Next(now), FairQueue::kNone);
  queue.End(first, now, now + seconds(1));
  queue.Remove(first);
  EXPECT_EQ(queue.Add(100), first);
}

TEST(FairQueueTest, WhoRunsCountsAsItRuns) {
  FairQueue queue(1);
  const TimePoint now{seconds(5)};
  const FairQueue::Flow running = queue.Add(100), waiting = queue.Add(100);
  queue.Wait(running, now);
  queue.Begin(running, now);
  queue.Wait(waiting, now);
  EXPECT_TRUE(queue.IsMostBehind(waiting, now + milliseconds(1)));
  EXPECT_FALSE(queue.IsMostBehind(running, now + milliseconds(1)));
}

// Random flows that always want more: parts by weight, nobody starves, nothing idles.
TEST(FairQueuePropertyTest, PartsFollowWeightsAndNobodyStarves) {
  std::mt19937 random(20250101);
  const auto uniform = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  for (int round = 0; round < 200; ++round) {
    const int32_t servers = uniform(1, 8);
    const int num_flows = uniform(2, 6);
    std::vector<Simulation::FlowSpec> flows;
    double sum = 0;
    Duration longest{};
    for (int i = 0; i < num_flows; ++i) {
      const int64_t mean_us = uniform(100, 20'000);
      longest = std::max<Duration>(longest, microseconds(2 * mean_us));
      flows.push_back({uniform(50, 200), servers, [&random, mean_us]() -> Duration {
                         return microseconds(std::uniform_int_distribution<int64_t>(1, 2 * mean_us)(random));
                       }});
      sum += flows.back().weight;
    }
    Simulation simulation(servers, flows);
    constexpr double kSeconds = 60;
    simulation.RunFor(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(kSeconds)));
    EXPECT_FALSE(simulation.was_ever_idle_with_work());
    // All servers' longest service, on either side of the account, over the weights.
    const double slack = 2.0 * servers * std::chrono::duration<double>(longest).count();
    for (size_t i = 0; i < flows.size(); ++i) {
      const double part = kSeconds * servers * flows[i].weight / sum;
      EXPECT_NEAR(simulation.Seconds(i), part, slack * 4) << "round " << round << " flow " << i;
      // Its turn comes when the others have had theirs: at most all their steps, by weight.
      EXPECT_LT(simulation.longest_wait(i), longest * (4 * num_flows * servers)) << round;
    }
  }
}

// Flows that come and go: nothing idles, and what all want is all used.
TEST(FairQueuePropertyTest, NothingIdlesWhileFlowsComeAndGo) {
  std::mt19937 random(7);
  const auto uniform = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  for (int round = 0; round < 200; ++round) {
    const int32_t servers = uniform(1, 4);
    std::vector<Simulation::FlowSpec> flows;
    for (int i = uniform(1, 5); i >= 0; --i) {
      const auto some = [&random](int64_t most) {
        return [&random, most]() -> Duration {
          return microseconds(std::uniform_int_distribution<int64_t>(1, most)(random));
        };
      };
      flows.push_back({uniform(1, 1000), uniform(1, 6), some(uniform(10, 9000)), some(uniform(10, 90'000))});
    }
    Simulation simulation(servers, flows);
    simulation.RunFor(seconds(10));
    EXPECT_FALSE(simulation.was_ever_idle_with_work());
    for (size_t i = 0; i < flows.size(); ++i) EXPECT_GT(simulation.Seconds(i), 0) << round << " " << i;
  }
}

}  // namespace
}  // namespace attendant
