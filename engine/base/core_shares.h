#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/fair_queue.h"

namespace attendant {

// The cores of a process that runs several models. A worker takes a core for one step and gives it back after
// it; where all are taken, the models get them by weight (FairQueue). Invariants:
// 1. No core is free while a worker waits.
// 2. A core is held by one worker at a time, but for 3.
// 3. However long others' steps are, a model of which nothing runs, and that is not ahead of its share, waits
//    at most `patience`: then one worker of it runs beside the others, and the system divides the core.
// A step is never interrupted. What a model holds counts for its share, also a core that it was lent.
// Thread-safe.
class CoreShares {
 public:
  static constexpr Duration kPatience = std::chrono::milliseconds(2);
  // Not one of the cores: the worker runs beside those that hold them.
  static constexpr int32_t kNoCore = -1;
  static constexpr int32_t kDefaultWeight = 100;

  // num_cores: at least 1. clock outlives it; patience is the system's time.
  CoreShares(int32_t num_cores, const Clock& clock, Duration patience = kPatience);
  ~CoreShares();  // No model is left.

  // One model's part. Its workers are done with it before it is destroyed; the shares outlive it.
  class Model {
   public:
    ~Model();
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    // A core, and since when.
    struct Held {
      int32_t core = kNoCore;
      TimePoint since;
    };
    // Waits for a core: `preferred` (any number), if it is free.
    Held Take(int32_t preferred);
    // Gives `held` back and takes a core for the next step: the same again, without a pause, if it is still
    // the model's turn. Who has more to do renews: one that gives back and comes again was not there in
    // between, and its turn is gone.
    Held Renew(const Held& held);
    // That core if it is free, without waiting: kNoCore if it is not.
    Held TryTake(int32_t core);
    // Returns how long it was held.
    Duration Return(const Held& held);

    int32_t num_cores() const { return static_cast<int32_t>(shares_.is_taken_.size()); }

   private:
    friend class CoreShares;
    Model(CoreShares& shares, int32_t weight);
    CoreShares& shares_;
    const FairQueue::Flow flow_;
  };
  // weight: 1 to 1,000; twice the weight is twice the time when all want more than there is.
  std::unique_ptr<Model> Add(int32_t weight);

  int32_t num_waiting() const;

 private:
  struct Waiter {
    Model& model;
    bool is_served = false;  // Guarded by mutex_, as is ...
    Model::Held held;
    std::condition_variable changed;
  };
  Model::Held TakeFreeLocked(Model& model, int32_t preferred);  // kNoCore: there is none.
  Model::Held WaitLocked(Model& model, std::unique_lock<std::mutex>& lock);
  Waiter* FirstWaiterLocked(FairQueue::Flow flow) const;  // Null: none.
  void ServeLocked(Waiter& waiter, int32_t core);
  // The core is free: whose turn is it? now: the moment that the caller decided by, as a moment later it may
  // be another's turn.
  void PassOnLocked(int32_t core, TimePoint now);

  const Clock& clock_;
  const Duration patience_;
  mutable std::mutex mutex_;  // Guards all below.
  std::vector<bool> is_taken_;
  FairQueue queue_;
  std::list<Waiter*> waiters_;  // In order of arrival.
};

}  // namespace attendant
