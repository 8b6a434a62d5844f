#pragma once

#include <array>

#include "absl/strings/string_view.h"

namespace attendant {

// Why a request was refused before any work was done for it; the label of attendant_rejected_total.
enum class RejectReason {
  kTooLarge,      // A message over the limit, also once decompressed.
  kStructure,     // Too many or malformed fields.
  kInvalid,       // A field out of its range.
  kText,          // A text over the limit; one that a one-pass model refuses.
  kImage,         // An image over a limit, broken, or of an unknown kind.
  kModelName,     // Not a name that a model can have, such as a path.
  kUnknownModel,  // No such model or language pair.
  kNotReady,      // The model is loading, or failed to load.
  kDraining,
  kQueueFull,
  kQuota,  // Of the caller's key.
  kCount
};

inline constexpr std::array<absl::string_view, static_cast<size_t>(RejectReason::kCount)>
    kRejectReasonLabels = {"too_large",     "structure", "invalid",  "text",       "image", "model_name",
                           "unknown_model", "not_ready", "draining", "queue_full", "quota"};

}  // namespace attendant
