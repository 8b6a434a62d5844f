#include "server/kserve/served_version.h"

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/grpc_status.h"

namespace attendant::kserve {

std::string VersionOf(const ServedModel& model) {
  return model.version == 0 ? "1" : absl::StrCat(model.version);
}

absl::StatusOr<ServedModel> FindModel(const ModelRegistry& registry, absl::string_view name,
                                      absl::string_view version) {
  if (!version.empty()) {
    absl::StatusOr<ServedModel> numbered = registry.Find(absl::StrCat(name, "@", version));
    if (numbered.ok()) return numbered;
  }
  ATTENDANT_ASSIGN_OR_RETURN(ServedModel model, registry.Find(name));
  if (version.empty() || version == VersionOf(model)) return model;
  return Rejected(RejectReason::kUnknownModel,
                  absl::NotFoundError(absl::StrCat("model ", model.name, " has no such version; version ",
                                                   VersionOf(model), " is served")));
}

absl::StatusOr<ServedModel> FindReadyModel(const ModelRegistry& registry, absl::string_view name,
                                           absl::string_view version) {
  ATTENDANT_ASSIGN_OR_RETURN(ServedModel model, FindModel(registry, name, version));
  ATTENDANT_RETURN_IF_ERROR(CheckReady(model));
  return model;
}

}  // namespace attendant::kserve
