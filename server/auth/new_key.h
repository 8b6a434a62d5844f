#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace attendant {

// A key that was never before, and its line for the key file, which does not give the key away.
struct NewKey {
  std::string key;    // "att_" and 43 characters of base64url: 256 random bits.
  std::string entry;  // Of key_file.proto.
};

// roles: "infer,admin,metrics" or some of them. Errors: INVALID_ARGUMENT id or roles; UNAVAILABLE the system
// gives no random bytes.
absl::StatusOr<NewKey> MakeNewKey(absl::string_view id, absl::string_view roles);

}  // namespace attendant
