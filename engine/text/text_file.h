#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "absl/status/statusor.h"

namespace attendant {

// All bytes of a regular file. Errors: NOT_FOUND there is no such file, or it is no regular one or cannot be
// read; DATA_LOSS it is longer than max_bytes.
absl::StatusOr<std::string> ReadTextFile(const std::filesystem::path& file, size_t max_bytes);

}  // namespace attendant
