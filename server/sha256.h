#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"

namespace attendant {

using Sha256Digest = std::array<uint8_t, 32>;

// Of a whole file. Errors: NOT_FOUND, FAILED_PRECONDITION, DATA_LOSS as InputFile.
absl::StatusOr<Sha256Digest> Sha256OfFile(const std::filesystem::path& file);

}  // namespace attendant
