#pragma once

#include <cstdint>
#include <memory>

#include "server/engine_model.h"
#include "server/repository/engine_observer.h"

namespace attendant {

// Holds loaded engines for those who use them: the model's entry, and every call that began with it. An
// engine is destroyed on the shelf's own thread once nobody uses it any more, as its end waits for its
// workers, and the last user may be one of them. Thread-safe.
class EngineShelf {
 public:
  EngineShelf();
  // Destroys what nobody uses. What is still in use then goes with its last user.
  ~EngineShelf();
  EngineShelf(const EngineShelf&) = delete;
  EngineShelf& operator=(const EngineShelf&) = delete;

  // observer: what the engine was loaded with. The pointers of the result share the engine's life.
  EngineModel Keep(std::unique_ptr<EngineObserver> observer, EngineModel engine);
  // Weights and key-value caches of the engines that are there, also of those on their way out.
  int64_t resident_bytes() const;

 private:
  struct Kept;
  struct State;
  const std::shared_ptr<State> state_;
};

// Weights and key-value cache.
int64_t ResidentBytes(const EngineModel& engine);

}  // namespace attendant
