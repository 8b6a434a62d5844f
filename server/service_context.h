#pragma once

#include "engine/base/clock.h"
#include "server/auth/key_ring.h"
#include "server/call_tracker.h"
#include "server/logging.h"
#include "server/memory_guard.h"
#include "server/metrics.h"
#include "server/model_registry.h"
#include "server/server_config.pb.h"
#include "server/stall_watch.h"

namespace attendant {

// What the services work with; the server owns it all and outlives them.
struct ServiceContext {
  const config::Limits& limits;
  ModelRegistry& registry;
  Metrics& metrics;
  const Logger& log;
  CallTracker& tracker;
  StallWatch& stall_watch;
  const Clock& clock;
  KeyRing& keys;
  const MemoryGuard& memory;
};

}  // namespace attendant
