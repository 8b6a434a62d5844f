#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "inference/open_inference_grpc.pb.h"
#include "server/repository/model_manager.h"
#include "server/simple_call.h"

namespace attendant::kserve {

// Which listener a service stands on. On the main one, models are loaded and unloaded only by callers with a
// key that has the role for it: where there are no keys, everybody could.
enum class Door { kMain, kAdmin };

// What the registry knows, as the protocol's index has it.
inference::RepositoryIndexResponse IndexOf(const ModelRegistry& registry,
                                           const inference::RepositoryIndexRequest& asked);

// Load, or load anew; answered when the model is ready, or refused.
grpc::ServerUnaryReactor* StartLoad(const SimpleCallArgs& args, Door door, ModelManager& models);
grpc::ServerUnaryReactor* StartUnload(const SimpleCallArgs& args, Door door, ModelManager& models);

// Names of repositories: there is one, without a name. INVALID_ARGUMENT.
absl::Status CheckRepositoryName(const std::string& name);

}  // namespace attendant::kserve
