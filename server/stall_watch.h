#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "engine/base/clock.h"
#include "server/peer_calls.h"

namespace attendant {

// Cancels calls whose client takes nothing of their answer: gRPC itself would keep what is written for ever.
// Invariant: once a Call is gone, its context is never touched. Thread-safe.
class StallWatch {
 public:
  // A message that is not taken whole within `timeout` ends its call.
  // peers: outlives it; each call under watch counts there.
  StallWatch(Duration timeout, const Clock& clock, PeerCalls& peers);
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  // From now on: the shorter of this and what holds.
  void Shorten(Duration timeout);

  // One call under watch; a member of its reactor, so that it goes in OnDone at the latest. BeginWrite before
  // each write and before Finish, EndWrite when OnWriteDone says so; its last write needs no EndWrite.
  class Call {
   public:
    Call(StallWatch& watch, grpc::CallbackServerContext& context)
        : watch_(watch), context_(context), peer_call_(watch.peers_, context.peer()) {}
    ~Call() { watch_.Forget(context_); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    void BeginWrite() { watch_.Begin(context_); }
    void EndWrite() { watch_.End(context_); }

   private:
    StallWatch& watch_;
    grpc::CallbackServerContext& context_;
    PeerCalls::Call peer_call_;
  };

 private:
  void Begin(grpc::CallbackServerContext& context);
  void End(grpc::CallbackServerContext& context);
  void Forget(grpc::CallbackServerContext& context);
  void Watch();
  void RemoveLocked(grpc::CallbackServerContext& context);
  void CancelOverdue(std::unique_lock<std::mutex>& lock);

  const Clock& clock_;
  PeerCalls& peers_;
  std::mutex mutex_;  // Guards all below; not held while a call is cancelled.
  Duration timeout_;
  std::condition_variable changed_;
  std::map<grpc::CallbackServerContext*, TimePoint> begun_;
  std::set<std::pair<TimePoint, grpc::CallbackServerContext*>> by_time_;  // The same.
  grpc::CallbackServerContext* cancelling_ = nullptr;
  bool stopped_ = false;
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace attendant
