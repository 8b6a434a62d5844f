#pragma once

#include <array>

#include "server/auth/key_ring.h"
#include "server/model_metrics.h"

namespace attendant {

// The one table of what each method asks of its caller. Not in it, as they are no Method: the health service,
// which is open to all (probes have no keys), and reflection, which asks for any key.
constexpr Access AccessOf(Method method) {
  switch (method) {
    case Method::kTranslate:
    case Method::kTranslateStream:
    case Method::kEmbedText:
    case Method::kEmbedImage:
    case Method::kClassifyText:
    case Method::kClassifyImage:
    case Method::kLabelTokens:
    case Method::kModelInfer:
      return Access::kInfer;
    case Method::kListLanguagePairs:
    case Method::kListModels:
    case Method::kGetModel:
    case Method::kServerLive:
    case Method::kServerReady:
    case Method::kServerMetadata:
    case Method::kModelReady:
    case Method::kModelMetadata:
    case Method::kModelConfig:
    case Method::kModelStatistics:
    case Method::kRepositoryIndex:
      return Access::kAnyKey;
    case Method::kListVersions:
    case Method::kLoadModel:
    case Method::kUnloadModel:
    case Method::kRepositoryModelLoad:
    case Method::kRepositoryModelUnload:
      return Access::kAdmin;
    case Method::kCount:
      break;
  }
  return Access::kUnset;
}

constexpr bool HasEveryMethodItsAccess() {
  for (int i = 0; i < static_cast<int>(Method::kCount); ++i) {
    if (AccessOf(static_cast<Method>(i)) == Access::kUnset) return false;
  }
  return true;
}
static_assert(HasEveryMethodItsAccess(), "say in AccessOf what the new method asks of its caller");

}  // namespace attendant
