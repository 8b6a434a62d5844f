#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace attendant {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(absl::string_view bytes);
// Of a whole file. Errors: NOT_FOUND, FAILED_PRECONDITION, DATA_LOSS as InputFile.
absl::StatusOr<Sha256Digest> Sha256OfFile(const std::filesystem::path& file);
// 64 digits, lower case.
std::string ToHex(const Sha256Digest& digest);
// 64 hexadecimal digits of either case; nullopt: anything else.
std::optional<Sha256Digest> DigestFromHex(absl::string_view hex);
// Takes the same time wherever the two differ.
bool AreEqualInConstantTime(const Sha256Digest& a, const Sha256Digest& b);

}  // namespace attendant
