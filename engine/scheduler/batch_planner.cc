#include "engine/scheduler/batch_planner.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace attendant {
namespace {

// When a job counts as having arrived; saturating, since priorities come from users.
int64_t RankTime(const PlannerLimits& limits, TimePoint arrival, int priority) {
  int64_t forward = 0;
  int64_t rank = 0;
  const int64_t arrival_ticks = arrival.time_since_epoch().count();
  if (__builtin_mul_overflow(int64_t{priority}, int64_t{limits.priority_step.count()}, &forward) ||
      __builtin_sub_overflow(arrival_ticks, forward, &rank)) {
    return priority > 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return rank;
}

struct Rank {
  int64_t time = 0;
  TimePoint arrival;
  int32_t index = 0;

  bool operator<(const Rank& other) const {
    return std::tie(time, arrival, index) < std::tie(other.time, other.arrival, other.index);
  }
};

class Planner {
 public:
  Planner(const PlannerLimits& limits, const PlannerInput& input)
      : limits_(limits), input_(input), spare_blocks_(input.free_blocks) {}

  Plan Make() {
    DropRunning();
    DropWaiting();
    if (spare_blocks_ < 0) Preempt();
    if (plan_.preempt.empty() && MayHaveRoom()) Admit();
    return std::move(plan_);
  }

 private:
  template <typename AnyJob>
  bool MustLeave(const AnyJob& job) const {
    return job.cancelled || job.deadline <= input_.now;
  }
  template <typename AnyJob>
  Rank RankOf(const AnyJob& job, int32_t index) const {
    return {RankTime(limits_, job.arrival, job.priority), job.arrival, index};
  }

  void DropRunning() {
    for (int32_t i = 0; i < static_cast<int32_t>(input_.running.size()); ++i) {
      const RunningJob& job = input_.running[static_cast<size_t>(i)];
      if (MustLeave(job)) {
        plan_.drop_running.push_back(i);
        spare_blocks_ += job.held_blocks;
      } else {
        running_.push_back(RankOf(job, i));
        rows_ += job.max_rows;
        spare_blocks_ -= job.blocks_for_next_step;
      }
    }
  }

  void DropWaiting() {
    for (int32_t i = 0; i < static_cast<int32_t>(input_.waiting.size()); ++i) {
      const WaitingJob& job = input_.waiting[static_cast<size_t>(i)];
      if (MustLeave(job)) plan_.drop_waiting.push_back(i);
    }
  }

  void Preempt() {
    std::sort(running_.begin(), running_.end());
    while (spare_blocks_ < 0 && running_.size() > 1) {
      const int32_t last = running_.back().index;
      const RunningJob& job = input_.running[static_cast<size_t>(last)];
      spare_blocks_ += job.held_blocks + job.blocks_for_next_step;
      plan_.preempt.push_back(last);
      running_.pop_back();
    }
  }

  int64_t num_running() const { return static_cast<int64_t>(running_.size() + plan_.admit.size()); }

  // False where no job at all can enter: spares ordering a long queue.
  bool MayHaveRoom() const {
    return num_running() == 0 || (num_running() < limits_.max_running && rows_ < limits_.max_rows &&
                                  (input_.fair_share == 0 || num_running() < input_.fair_share));
  }

  void RankWaiting() {
    waiting_.reserve(input_.waiting.size());
    for (int32_t i = 0; i < static_cast<int32_t>(input_.waiting.size()); ++i) {
      const WaitingJob& job = input_.waiting[static_cast<size_t>(i)];
      if (!MustLeave(job)) waiting_.push_back(RankOf(job, i));
    }
  }

  void Admit() {
    RankWaiting();
    const auto later = [](const Rank& a, const Rank& b) { return b < a; };
    std::make_heap(waiting_.begin(), waiting_.end(), later);
    while (!waiting_.empty()) {
      const int32_t next = waiting_.front().index;
      const WaitingJob& job = input_.waiting[static_cast<size_t>(next)];
      if (num_running() > 0 && !Fits(job)) return;
      plan_.admit.push_back(next);
      rows_ += job.max_rows;
      encode_tokens_ += job.encode_tokens;
      spare_blocks_ -= job.start_blocks;
      std::pop_heap(waiting_.begin(), waiting_.end(), later);
      waiting_.pop_back();
    }
  }

  // Beside what runs already.
  bool Fits(const WaitingJob& job) const {
    if (job.max_rows == 0 && job.start_blocks == 0) return MayHaveRoom() && FitsEncoding(job);
    const int64_t margin = (num_running() + 1) * limits_.spare_blocks_per_job;
    return MayHaveRoom() && rows_ + job.max_rows <= limits_.max_rows && FitsEncoding(job) &&
           spare_blocks_ - job.start_blocks >= margin;
  }

  bool FitsEncoding(const WaitingJob& job) const {
    return plan_.admit.empty() || encode_tokens_ + job.encode_tokens <= limits_.max_encode_tokens;
  }

  const PlannerLimits& limits_;
  const PlannerInput& input_;
  Plan plan_;
  std::vector<Rank> running_;  // Those that go on.
  std::vector<Rank> waiting_;
  int64_t rows_ = 0;
  int64_t encode_tokens_ = 0;
  int64_t spare_blocks_;  // Free after all next steps.
};

}  // namespace

Plan MakePlan(const PlannerLimits& limits, const PlannerInput& input) {
  return Planner(limits, input).Make();
}

}  // namespace attendant
