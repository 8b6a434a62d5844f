#include "server/kserve/repository_call.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/kserve/served_version.h"
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

// The protocol's words for a model's state.
const char* StateName(ModelState state) {
  switch (state) {
    case ModelState::kLoading:
      return "LOADING";
    case ModelState::kReady:
      return "READY";
    case ModelState::kFailed:
    case ModelState::kUnloaded:
    case ModelState::kCount:
      break;
  }
  return "UNAVAILABLE";
}

absl::Status CheckDoor(const SimpleCallArgs& args, Door door) {
  if (door == Door::kAdmin || !args.services.keys.is_open()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      "without API keys, models are loaded and unloaded at the admin listener only; see --admin");
}

template <typename Request>
absl::Status CheckRequest(const Request& request) {
  ATTENDANT_RETURN_IF_ERROR(Rejected(RejectReason::kModelName, CheckModelName(request.model_name())));
  ATTENDANT_RETURN_IF_ERROR(Rejected(RejectReason::kInvalid, CheckRepositoryName(request.repository_name())));
  return Rejected(RejectReason::kInvalid, CheckParameters(request));
}

// Parses, hands over (change(name, done)), answers with an empty Response.
template <typename Request, typename Response, typename Change>
grpc::ServerUnaryReactor* StartChange(const SimpleCallArgs& args, Door door, Change change) {
  return AnswerLater<Request>(args, [&](const Request& request, auto finish) {
    absl::Status status = CheckDoor(args, door);
    if (status.ok()) status = CheckRequest(request);
    if (!status.ok()) return finish(status, Response());
    change(request.model_name(), [finish](const absl::Status& done) { finish(done, Response()); });
  });
}

}  // namespace

inference::RepositoryIndexResponse IndexOf(const ModelRegistry& registry,
                                           const inference::RepositoryIndexRequest& asked) {
  inference::RepositoryIndexResponse index;
  for (const ServedModel& model : registry.ListVersions()) {
    if (asked.ready() && model.state != ModelState::kReady) continue;
    inference::RepositoryIndexResponse::ModelIndex& entry = *index.add_models();
    entry.set_name(model.name);
    entry.set_version(VersionOf(model));
    entry.set_state(StateName(model.state));
    entry.set_reason(model.message);
  }
  return index;
}

absl::Status CheckRepositoryName(const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("repository_name: there is one repository, without a name");
}

grpc::ServerUnaryReactor* StartLoad(const SimpleCallArgs& args, Door door, ModelManager& models) {
  return StartChange<RepositoryModelLoadRequest, inference::RepositoryModelLoadResponse>(
      args, door,
      [&](const std::string& name, ModelManager::Done done) { models.Load(name, std::move(done)); });
}

grpc::ServerUnaryReactor* StartUnload(const SimpleCallArgs& args, Door door, ModelManager& models) {
  return StartChange<RepositoryModelUnloadRequest, inference::RepositoryModelUnloadResponse>(
      args, door,
      [&](const std::string& name, ModelManager::Done done) { models.Unload(name, std::move(done)); });
}

}  // namespace attendant::kserve
