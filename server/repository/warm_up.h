#pragma once

#include "absl/status/status.h"
#include "engine/base/clock.h"
#include "server/engine_model.h"

namespace attendant {

// Answers requests of its own on a loaded engine, on all its workers, for every task it serves, short and
// long: what a thread sets up on its first request, and memory that is touched for the first time, is behind
// it then. Waits for the answers, at most `timeout`. An error says which task the model fails at, such as
// weights that give NaN.
absl::Status WarmUp(const EngineModel& engine, Duration timeout);

}  // namespace attendant
