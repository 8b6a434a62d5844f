#include "server/kserve/repository_call.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/model_name.h"

namespace attendant::kserve {
namespace {

using inference::RepositoryModelLoadRequest;
using inference::RepositoryModelUnloadRequest;

absl::Status CheckParameters(const RepositoryModelLoadRequest& request) {
  if (request.parameters().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("parameters: a model is loaded as its directory says; there are none");
}

// Clients send "unload_dependents" whatever it is.
absl::Status CheckParameters(const RepositoryModelUnloadRequest& request) {
  for (const auto& [key, value] : request.parameters()) {
    if (key != "unload_dependents" || !value.has_bool_param()) {
      return absl::InvalidArgumentError("parameters: \"unload_dependents\", true or false, is the only one");
    }
  }
  return absl::OkStatus();
}

template <typename Request>
absl::Status ParseRepositoryRequest(const SimpleCallArgs& args, const absl::Status& admitted,
                                    Request& request) {
  ATTENDANT_RETURN_IF_ERROR(admitted);
  ATTENDANT_RETURN_IF_ERROR(ParseMessage(args.request, MessageLimits{}, request));
  ATTENDANT_RETURN_IF_ERROR(Rejected(RejectReason::kModelName, CheckModelName(request.model_name())));
  ATTENDANT_RETURN_IF_ERROR(Rejected(RejectReason::kInvalid, CheckRepositoryName(request.repository_name())));
  return Rejected(RejectReason::kInvalid, CheckParameters(request));
}

// Parses, hands over, answers with an empty Response.
template <typename Request, typename Response, typename Change>
grpc::ServerUnaryReactor* StartChange(const SimpleCallArgs& args, Change change) {
  auto* call = new RepositoryCall(args.services, args.context, args.method);
  Request request;
  const absl::Status status = ParseRepositoryRequest(args, call->admitted(), request);
  if (!status.ok()) {
    call->FinishWith(status);
    return call;
  }
  change(request.model_name(), [call, &response = args.response](const absl::Status& done) {
    if (done.ok()) response = SerializeMessage(Response());
    call->FinishWith(done);
  });
  return call;
}

}  // namespace

absl::Status CheckRepositoryName(const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("repository_name: there is one repository, without a name");
}

grpc::ServerUnaryReactor* StartLoad(const SimpleCallArgs& args, ModelRepositoryControl& repository) {
  return StartChange<RepositoryModelLoadRequest, inference::RepositoryModelLoadResponse>(
      args, [&](const std::string& name, ModelRepositoryControl::Done done) {
        repository.Load(name, std::move(done));
      });
}

grpc::ServerUnaryReactor* StartUnload(const SimpleCallArgs& args, ModelRepositoryControl& repository) {
  return StartChange<RepositoryModelUnloadRequest, inference::RepositoryModelUnloadResponse>(
      args, [&](const std::string& name, ModelRepositoryControl::Done done) {
        repository.Unload(name, std::move(done));
      });
}

}  // namespace attendant::kserve
