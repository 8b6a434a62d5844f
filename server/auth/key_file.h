#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/auth/key_file.pb.h"
#include "server/sha256.h"
#include "server/auth/token_bucket.h"

namespace attendant {

// One caller of the key file, checked.
struct KeyRecord {
  std::string id;
  std::optional<Sha256Digest> digest;  // nullopt: known by its certificate alone.
  std::vector<std::string> certificates;
  uint32_t roles = 0;  // Bit 1 << auth::Key::Role.
  TokenRate rate;
  int32_t max_concurrent = 0;  // 0: any number.

  bool Has(auth::Key::Role role) const { return (roles >> role & 1) != 0; }
};

inline constexpr int kMaxKeys = 1000;
inline constexpr uint64_t kMaxKeyFileBytes = 1 << 20;

// name: of the file, for errors. Errors: INVALID_ARGUMENT, one line that begins NAME:LINE (or NAME, when it
// is about all of it); never a part of a key or its hash. A file without keys is an error: it is more likely
// cut short than meant to lock everybody out.
absl::StatusOr<std::vector<KeyRecord>> ParseKeyFile(const std::string& text, absl::string_view name);

// Errors: as above, also when the file cannot be read.
absl::StatusOr<std::vector<KeyRecord>> ReadKeyFile(const std::string& path);

}  // namespace attendant
