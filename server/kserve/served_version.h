#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/model_registry.h"

namespace attendant::kserve {

// The version of a model as the protocol names it. A model without numbered versions is version "1".
std::string VersionOf(const ServedModel& model);

// In whatever state. Errors, with a RejectReason: INVALID_ARGUMENT not a name; NOT_FOUND no such model, or
// no such version or label of it. version "": what NAME means.
absl::StatusOr<ServedModel> FindModel(const ModelRegistry& registry, absl::string_view name,
                                      absl::string_view version);
// Ready. Also UNAVAILABLE loading; FAILED_PRECONDITION failed.
absl::StatusOr<ServedModel> FindReadyModel(const ModelRegistry& registry, absl::string_view name,
                                           absl::string_view version);

}  // namespace attendant::kserve
