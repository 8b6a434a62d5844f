#pragma once

#include <filesystem>

#include "engine/tasks/loaded_model.h"

namespace attendant {

inline std::filesystem::path ShippedModelDir() {
  return std::filesystem::path(ATTENDANT_SOURCE_DIR) / "models/translate-en-de";
}

// The tokenizer of the model that ships, loaded once.
const Tokenizer& ShippedTokenizer();

}  // namespace attendant
