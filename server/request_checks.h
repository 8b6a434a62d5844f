#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "attendant/v1/embedding_service.pb.h"
#include "server/model_registry.h"

namespace attendant {

// Checks of what several methods' requests have in common. Errors: INVALID_ARGUMENT, naming the field.

absl::Status CheckPriority(int32_t priority);
absl::Status CheckTopK(std::optional<int32_t> top_k);
absl::Status CheckFormat(v1::VectorFormat format);
// Whether a call's inputs could all wait at once: a call that never can must not be told to try again.
absl::Status CheckInputCount(const ServedModel& model, absl::string_view field, int count);

// Whether the model's queue takes a call of so many texts or images with this deadline, before work is spent
// on it. RESOURCE_EXHAUSTED with a RejectReason.
absl::Status CheckAdmission(const ServedModel& model, int texts, TimePoint deadline);

}  // namespace attendant
