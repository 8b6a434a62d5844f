#include "server/model_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace attendant {
namespace {

constexpr size_t kMaxNameBytes = 64;

bool IsAllowed(char c) {
  return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
}

}  // namespace

absl::Status CheckModelName(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("the model's name is empty");
  if (name.size() > kMaxNameBytes)
    return absl::InvalidArgumentError("the model's name is longer than 64 characters");
  if (name.front() == '.') return absl::InvalidArgumentError("the model's name begins with a dot");
  if (!std::all_of(name.begin(), name.end(), IsAllowed)) {
    return absl::InvalidArgumentError("the model's name has characters other than A-Z a-z 0-9 . _ -");
  }
  return absl::OkStatus();
}

}  // namespace attendant
