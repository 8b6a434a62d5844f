#pragma once

#include "absl/status/statusor.h"
#include "engine/base/core_shares.h"
#include "engine/scheduler/scheduler.h"
#include "server/engine_model.h"
#include "server/server_config.pb.h"

namespace attendant {

// Loads a configured model by what its config.json says it is; it gets its part of `cores`, which outlive it.
// Errors: as the Load of its kind.
absl::StatusOr<EngineModel> LoadEngineModel(const config::ServerConfig& config,
                                            const config::ModelConfig& model, CoreShares& cores,
                                            SchedulerObserver& observer);

}  // namespace attendant
