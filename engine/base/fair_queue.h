#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/clock.h"

namespace attendant {

// Who is served next where several flows share some servers by weight: start-time fair queueing. Each flow
// has a virtual time, which runs on by the time it was served over its weight; the one that is behind is
// next. What a service will take is not known beforehand: it is counted as it passes. Invariants:
// 1. Of flows that always want to be served, each gets its weight's part of the time. What two of them were
//    served, over their weights, differs at any time by at most what all servers do in the longest service.
// 2. A flow that wanted nothing for a while is owed nothing for it: it starts at the virtual time of who was
//    most behind meanwhile.
// 3. A flow is ahead of it by at most num_servers times its own longest recent service, however much it took
//    while nobody else wanted it: nobody waits for long because of what it got for nothing.
// Values in, decisions out: no thread, no clock of its own. Not thread-safe.
// Source: Goyal, Vin, Cheng, "Start-time Fair Queuing", SIGCOMM 1996; several servers: Jin, Chase, Kaur,
// "Interposed Proportional Sharing", SIGMETRICS 2004 (SFQ(D)).
class FairQueue {
 public:
  using Flow = int32_t;

  explicit FairQueue(int32_t num_servers) : num_servers_(num_servers) {}

  // weight: at least 1.
  Flow Add(int32_t weight);
  // Neither waits nor is served.
  void Remove(Flow flow);

  // One more request of it waits.
  void Wait(Flow flow, TimePoint now);
  // One of its waiting requests is served from now on.
  void Begin(Flow flow, TimePoint now);
  // A service that began then is over. Who has more to ask for calls Wait before.
  void End(Flow flow, TimePoint began, TimePoint now);

  static constexpr Flow kNone = -1;
  // The most behind of those that wait (of equals, the one that was served less lately); kNone: nobody waits.
  Flow Next(TimePoint now) const;
  // Whether no other that waits or is served is further behind.
  bool IsMostBehind(Flow flow, TimePoint now) const;
  int32_t num_waiting() const { return num_waiting_; }
  int32_t num_served(Flow flow) const { return Of(flow).served; }

 private:
  struct State {
    bool is_used = false;
    double inverse_weight = 1;
    double virtual_time = 0;  // Without the services that are under way, ...
    int32_t served = 0;       // ... so many, ...
    double began_sum = 0;     // ... whose beginnings sum to this. Nanoseconds, as all here.
    int32_t waiting = 0;
    double longest = 0;  // Of its services; older ones count less and less.
    uint64_t last_begin = 0;

    bool is_active() const { return served + waiting > 0; }
    double VirtualTime(double now) const;
  };
  static double Nanoseconds(TimePoint time);
  const State& Of(Flow flow) const { return flows_[static_cast<size_t>(flow)]; }
  State& Of(Flow flow) { return flows_[static_cast<size_t>(flow)]; }
  bool IsBefore(const State& a, const State& b, double now) const;
  // To that of the most behind.
  void AdvanceVirtualTime(double now);

  const int32_t num_servers_;
  std::vector<State> flows_;
  double virtual_time_ = 0;
  int32_t num_waiting_ = 0;
  uint64_t num_begun_ = 0;
};

}  // namespace attendant
