#pragma once

#include <cstdint>
#include <functional>

#include "engine/scheduler/scheduler.h"

namespace attendant {

// How many workers a model gets: so many, or for 0 the CPU budget of the container or machine.
int32_t NumWorkers(int32_t num_workers);

// Puts the calling thread on this CPU of the process, where there is one for each of num_workers, or with
// CoreShares::kNoCore on all of them. Empty: there is not.
std::function<void(int32_t core)> Pinning(int32_t num_workers);

// `options` whose workers stay on one CPU each, where there is one for each: their caches then stay their
// own.
SchedulerOptions WithPinning(SchedulerOptions options, int32_t num_workers);

}  // namespace attendant
