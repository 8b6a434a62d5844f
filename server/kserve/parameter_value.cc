#include "server/kserve/parameter_value.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant::kserve {
namespace {

using inference::InferParameter;

absl::Status WrongType(absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("is not ", wanted));
}

}  // namespace

absl::StatusOr<int64_t> ReadInteger(const InferParameter& value, IntegerRange range) {
  int64_t number = 0;
  if (value.has_int64_param()) {
    number = value.int64_param();
  } else if (value.has_uint64_param()) {
    constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
    number = static_cast<int64_t>(std::min(value.uint64_param(), kMax));
  } else {
    return WrongType("a whole number (int64_param)");
  }
  if (number >= range.min && number <= range.max) return number;
  return absl::InvalidArgumentError(
      absl::StrCat(number, " is not in its range, ", range.min, " to ", range.max));
}

absl::StatusOr<uint64_t> ReadUnsigned(const InferParameter& value) {
  if (value.has_uint64_param()) return value.uint64_param();
  ATTENDANT_ASSIGN_OR_RETURN(const int64_t number,
                             ReadInteger(value, {0, std::numeric_limits<int64_t>::max()}));
  return static_cast<uint64_t>(number);
}

absl::StatusOr<float> ReadFloat(const InferParameter& value) {
  if (value.has_double_param()) {
    const double number = value.double_param();
    if (std::abs(number) <= std::numeric_limits<float>::max()) return static_cast<float>(number);
    return absl::InvalidArgumentError("is not a finite single-precision number");
  }
  if (value.has_int64_param()) return static_cast<float>(value.int64_param());
  return WrongType("a number (double_param or int64_param)");
}

absl::StatusOr<bool> ReadBool(const InferParameter& value) {
  if (value.has_bool_param()) return value.bool_param();
  return WrongType("true or false (bool_param)");
}

absl::StatusOr<std::string> ReadString(const InferParameter& value) {
  if (value.has_string_param()) return value.string_param();
  return WrongType("a text (string_param)");
}

}  // namespace attendant::kserve
