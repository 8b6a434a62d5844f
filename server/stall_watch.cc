#include "server/stall_watch.h"

#include <pthread.h>

#include <algorithm>

namespace attendant {

StallWatch::StallWatch(Duration timeout, const Clock& clock, PeerCalls& peers)
    : clock_(clock), peers_(peers), timeout_(timeout), thread_([this] { Watch(); }) {}

StallWatch::~StallWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StallWatch::Shorten(Duration timeout) {
  const std::lock_guard lock(mutex_);
  timeout_ = std::min(timeout_, timeout);
}

void StallWatch::Begin(grpc::CallbackServerContext& context) {
  const std::lock_guard lock(mutex_);
  RemoveLocked(context);
  const TimePoint now = clock_.Now();
  begun_[&context] = now;
  by_time_.insert({now, &context});
}

void StallWatch::End(grpc::CallbackServerContext& context) {
  const std::lock_guard lock(mutex_);
  RemoveLocked(context);
}

void StallWatch::RemoveLocked(grpc::CallbackServerContext& context) {
  const auto it = begun_.find(&context);
  if (it == begun_.end()) return;
  by_time_.erase({it->second, &context});
  begun_.erase(it);
}

void StallWatch::Forget(grpc::CallbackServerContext& context) {
  std::unique_lock lock(mutex_);
  RemoveLocked(context);
  // gRPC may call OnDone from within TryCancel, on the watching thread: then TryCancel has done its work.
  if (std::this_thread::get_id() == thread_.get_id()) return;
  changed_.wait(lock, [&] { return cancelling_ != &context; });
}

void StallWatch::Watch() {
  pthread_setname_np(pthread_self(), "stall-watch");
  constexpr Duration kLongest = std::chrono::milliseconds(250);
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::clamp<Duration>(timeout_ / 4, std::chrono::milliseconds(10), kLongest),
                            [this] { return stopped_; }))
    CancelOverdue(lock);
}

void StallWatch::CancelOverdue(std::unique_lock<std::mutex>& lock) {
  const TimePoint oldest = clock_.Now() - timeout_;
  while (!by_time_.empty() && by_time_.begin()->first < oldest) {
    cancelling_ = by_time_.begin()->second;
    RemoveLocked(*cancelling_);
    lock.unlock();
    cancelling_->TryCancel();
    lock.lock();
    cancelling_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace attendant
