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
  kQuota,   // Of the caller's key.
  kLate,    // What waits and runs leaves too little of its deadline.
  kMemory,  // The container or the machine has little memory left.
  kCount
};

inline constexpr std::array<absl::string_view, static_cast<size_t>(RejectReason::kCount)>
    kRejectReasonLabels = {"too_large",  "structure",     "invalid",   "text",     "image",
                           "model_name", "unknown_model", "not_ready", "draining", "queue_full",
                           "quota",      "late",          "memory"};

// Refused for the load, not for what was asked: the same may be answered later.
constexpr bool IsShed(RejectReason reason) {
  return reason == RejectReason::kQueueFull || reason == RejectReason::kLate ||
         reason == RejectReason::kMemory;
}

}  // namespace attendant
