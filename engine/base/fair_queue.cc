#include "engine/base/fair_queue.h"

#include <algorithm>

namespace attendant {

double FairQueue::Nanoseconds(TimePoint time) {
  return std::chrono::duration<double, std::nano>(time.time_since_epoch()).count();
}

double FairQueue::State::VirtualTime(double now) const {
  return virtual_time + (now * served - began_sum) * inverse_weight;
}

FairQueue::Flow FairQueue::Add(int32_t weight) {
  State flow;
  flow.is_used = true;
  flow.inverse_weight = 1.0 / std::max(weight, 1);
  const auto free =
      std::find_if(flows_.begin(), flows_.end(), [](const State& state) { return !state.is_used; });
  if (free != flows_.end()) {
    *free = flow;
    return static_cast<Flow>(free - flows_.begin());
  }
  flows_.push_back(flow);
  return static_cast<Flow>(flows_.size()) - 1;
}

void FairQueue::Remove(Flow flow) {
  Of(flow) = State();
}

void FairQueue::AdvanceVirtualTime(double now) {
  bool is_any = false;
  double least = 0;
  for (const State& state : flows_) {
    if (!state.is_active()) continue;
    const double virtual_time = state.VirtualTime(now);
    least = is_any ? std::min(least, virtual_time) : virtual_time;
    is_any = true;
  }
  if (is_any) virtual_time_ = std::max(virtual_time_, least);
}

void FairQueue::Wait(Flow flow, TimePoint now) {
  State& state = Of(flow);
  AdvanceVirtualTime(Nanoseconds(now));
  if (!state.is_active()) state.virtual_time = std::max(state.virtual_time, virtual_time_);
  ++state.waiting;
  ++num_waiting_;
}

void FairQueue::Begin(Flow flow, TimePoint now) {
  State& state = Of(flow);
  --state.waiting;
  --num_waiting_;
  ++state.served;
  state.began_sum += Nanoseconds(now);
  state.last_begin = ++num_begun_;
}

void FairQueue::End(Flow flow, TimePoint began, TimePoint now) {
  constexpr double kForget = 1.0 / 64;
  State& state = Of(flow);
  const double took = Nanoseconds(now) - Nanoseconds(began);
  AdvanceVirtualTime(Nanoseconds(now));
  --state.served;
  state.began_sum = state.served == 0 ? 0 : state.began_sum - Nanoseconds(began);
  state.longest = std::max(took, state.longest * (1 - kForget));
  state.virtual_time = std::min(state.virtual_time + took * state.inverse_weight,
                                virtual_time_ + num_servers_ * state.longest * state.inverse_weight);
}

bool FairQueue::IsBefore(const State& a, const State& b, double now) const {
  const double time_a = a.VirtualTime(now), time_b = b.VirtualTime(now);
  return time_a != time_b ? time_a < time_b : a.last_begin < b.last_begin;
}

FairQueue::Flow FairQueue::Next(TimePoint now) const {
  Flow next = kNone;
  for (size_t i = 0; i < flows_.size(); ++i) {
    if (flows_[i].waiting == 0) continue;
    if (next == kNone || IsBefore(flows_[i], Of(next), Nanoseconds(now))) next = static_cast<Flow>(i);
  }
  return next;
}

bool FairQueue::IsMostBehind(Flow flow, TimePoint now) const {
  const double own = Of(flow).VirtualTime(Nanoseconds(now));
  return std::none_of(flows_.begin(), flows_.end(), [&](const State& other) {
    return other.is_active() && other.VirtualTime(Nanoseconds(now)) < own;
  });
}

}  // namespace attendant
