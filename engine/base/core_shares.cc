#include "engine/base/core_shares.h"

#include <algorithm>

namespace attendant {

CoreShares::CoreShares(int32_t num_cores, const Clock& clock, Duration patience)
    : clock_(clock),
      patience_(patience),
      is_taken_(static_cast<size_t>(std::max(num_cores, 1))),
      queue_(std::max(num_cores, 1)) {}

CoreShares::~CoreShares() = default;

std::unique_ptr<CoreShares::Model> CoreShares::Add(int32_t weight) {
  const std::lock_guard lock(mutex_);
  return std::unique_ptr<Model>(new Model(*this, weight));
}

CoreShares::Model::Model(CoreShares& shares, int32_t weight)
    : shares_(shares), flow_(shares.queue_.Add(weight)) {}

CoreShares::Model::~Model() {
  const std::lock_guard lock(shares_.mutex_);
  shares_.queue_.Remove(flow_);
}

CoreShares::Model::Held CoreShares::Model::Take(int32_t preferred) {
  std::unique_lock lock(shares_.mutex_);
  shares_.queue_.Wait(flow_, shares_.clock_.Now());
  const Held held = shares_.TakeFreeLocked(*this, preferred);
  return held.core != kNoCore ? held : shares_.WaitLocked(*this, lock);
}

CoreShares::Model::Held CoreShares::Model::Renew(const Held& held) {
  std::unique_lock lock(shares_.mutex_);
  FairQueue& queue = shares_.queue_;
  const TimePoint now = shares_.clock_.Now();
  queue.Wait(flow_, now);  // First: it is not away for a moment.
  queue.End(flow_, held.since, now);
  if (held.core == kNoCore) {
    const Held own = shares_.TakeFreeLocked(*this, held.core);
    if (own.core != kNoCore) return own;
    if (queue.num_served(flow_) > 0 || !queue.IsMostBehind(flow_, now))
      return shares_.WaitLocked(*this, lock);
  } else if (queue.Next(now) != flow_ || shares_.FirstWaiterLocked(flow_) != nullptr) {
    shares_.PassOnLocked(held.core, now);
    return shares_.WaitLocked(*this, lock);
  }
  queue.Begin(flow_, now);
  return {held.core, now};
}

CoreShares::Model::Held CoreShares::TakeFreeLocked(Model& model, int32_t preferred) {
  auto core = static_cast<size_t>(std::max(preferred, 0)) % is_taken_.size();
  for (size_t i = 0; i < is_taken_.size() && is_taken_[core]; ++i) core = (core + 1) % is_taken_.size();
  if (is_taken_[core]) return {};
  is_taken_[core] = true;
  const TimePoint now = clock_.Now();
  queue_.Begin(model.flow_, now);
  return {static_cast<int32_t>(core), now};
}

CoreShares::Model::Held CoreShares::Model::TryTake(int32_t core) {
  const std::lock_guard lock(shares_.mutex_);
  if (core < 0 || core >= num_cores() || shares_.is_taken_[static_cast<size_t>(core)]) return {};
  const TimePoint now = shares_.clock_.Now();
  shares_.is_taken_[static_cast<size_t>(core)] = true;
  shares_.queue_.Wait(flow_, now);
  shares_.queue_.Begin(flow_, now);
  return {core, now};
}

Duration CoreShares::Model::Return(const Held& held) {
  const std::lock_guard lock(shares_.mutex_);
  const TimePoint now = shares_.clock_.Now();
  shares_.queue_.End(flow_, held.since, now);
  if (held.core != kNoCore) shares_.PassOnLocked(held.core, now);
  if (shares_.queue_.num_served(flow_) == 0) {
    // Its patience begins.
    if (Waiter* waiter = shares_.FirstWaiterLocked(flow_)) waiter->changed.notify_one();
  }
  return now - held.since;
}

CoreShares::Model::Held CoreShares::WaitLocked(Model& model, std::unique_lock<std::mutex>& lock) {
  Waiter waiter{model, false, {}, {}};
  waiters_.push_back(&waiter);
  if (queue_.num_served(model.flow_) == 0)
    FirstWaiterLocked(model.flow_)->changed.notify_one();  // Its patience begins.
  while (!waiter.is_served) {
    const bool is_impatient =
        queue_.num_served(model.flow_) == 0 && FirstWaiterLocked(model.flow_) == &waiter;
    if (!is_impatient) {
      waiter.changed.wait(lock);
    } else if (waiter.changed.wait_for(lock, patience_) == std::cv_status::timeout && !waiter.is_served &&
               queue_.IsMostBehind(model.flow_, clock_.Now())) {
      ServeLocked(waiter, kNoCore);
    }
  }
  return waiter.held;
}

CoreShares::Waiter* CoreShares::FirstWaiterLocked(FairQueue::Flow flow) const {
  const auto first = std::find_if(waiters_.begin(), waiters_.end(),
                                  [&](const Waiter* waiter) { return waiter->model.flow_ == flow; });
  return first == waiters_.end() ? nullptr : *first;
}

void CoreShares::ServeLocked(Waiter& waiter, int32_t core) {
  const TimePoint now = clock_.Now();
  queue_.Begin(waiter.model.flow_, now);
  waiters_.remove(&waiter);
  waiter.held = {core, now};
  waiter.is_served = true;
}

void CoreShares::PassOnLocked(int32_t core, TimePoint now) {
  const FairQueue::Flow next = queue_.Next(now);
  if (next == FairQueue::kNone) {
    is_taken_[static_cast<size_t>(core)] = false;
    return;
  }
  Waiter& waiter = *FirstWaiterLocked(next);
  ServeLocked(waiter, core);
  waiter.changed.notify_one();  // Under the lock: the waiter is gone right after it.
}

int32_t CoreShares::num_waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.num_waiting();
}

}  // namespace attendant
