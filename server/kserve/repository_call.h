#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>

#include "server/kserve/model_repository_control.h"
#include "server/simple_call.h"

namespace attendant::kserve {

// A call that changes the repository, and is answered when that is done. Refused while the server drains.
class RepositoryCall final : public grpc::ServerUnaryReactor {
 public:
  RepositoryCall(const ServiceContext& services, grpc::CallbackServerContext& context, Method method)
      : stall_(services.stall_watch, context), scope_(services, method) {}

  const absl::Status& admitted() const { return scope_.admitted(); }
  void FinishWith(const absl::Status& status) {
    stall_.BeginWrite();
    Finish(scope_.End(status));
  }

 private:
  void OnDone() override { delete this; }

  StallWatch::Call stall_;
  CallScope scope_;
};

grpc::ServerUnaryReactor* StartLoad(const SimpleCallArgs& args, ModelRepositoryControl& repository);
grpc::ServerUnaryReactor* StartUnload(const SimpleCallArgs& args, ModelRepositoryControl& repository);

// Names of repositories: there is one, without a name. INVALID_ARGUMENT.
absl::Status CheckRepositoryName(const std::string& name);

}  // namespace attendant::kserve
