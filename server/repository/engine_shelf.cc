#include "server/repository/engine_shelf.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace attendant {

struct EngineShelf::Kept {
  std::unique_ptr<EngineObserver> observer;  // Outlives the engine, which calls it.
  EngineModel engine;
  int64_t bytes = 0;
};

struct EngineShelf::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::unique_ptr<Kept>> retired;  // Guarded by mutex, as is ...
  bool stop = false;
  std::atomic<int64_t> bytes{0};
  std::thread thread;

  void Destroy(std::unique_ptr<Kept> kept) {
    const int64_t freed = kept->bytes;
    kept.reset();
    bytes -= freed;
  }

  void Retire(std::unique_ptr<Kept> kept) {
    {
      const std::lock_guard lock(mutex);
      if (!stop) {
        retired.push_back(std::move(kept));
        changed.notify_one();
        return;
      }
    }
    Destroy(std::move(kept));
  }

  void Run() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return stop || !retired.empty(); });
      if (retired.empty()) return;
      std::vector<std::unique_ptr<Kept>> batch = std::exchange(retired, {});
      lock.unlock();
      for (std::unique_ptr<Kept>& kept : batch) Destroy(std::move(kept));
      lock.lock();
    }
  }
};

EngineShelf::EngineShelf() : state_(std::make_shared<State>()) {
  state_->thread = std::thread([state = state_.get()] { state->Run(); });
}

EngineShelf::~EngineShelf() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

EngineModel EngineShelf::Keep(std::unique_ptr<EngineObserver> observer, EngineModel engine) {
  const int64_t bytes = ResidentBytes(engine);
  state_->bytes += bytes;
  const std::shared_ptr<Kept> kept(
      new Kept{std::move(observer), std::move(engine), bytes},
      [state = state_](Kept* last) { state->Retire(std::unique_ptr<Kept>(last)); });
  EngineModel shared;
  const auto share = [&kept](const auto& pointer) {
    using Pointer = std::decay_t<decltype(pointer)>;
    return pointer == nullptr ? Pointer() : Pointer(kept, pointer.get());
  };
  shared.translator = share(kept->engine.translator);
  shared.text = share(kept->engine.text);
  shared.image = share(kept->engine.image);
  return shared;
}

int64_t EngineShelf::resident_bytes() const {
  return state_->bytes;
}

int64_t ResidentBytes(const EngineModel& engine) {
  const EngineModelSummary summary = Summarize(engine);
  return summary.weights_bytes + summary.kv_cache_bytes;
}

}  // namespace attendant
