#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace attendant {

// The fields of a request's JSON. A field that is null counts as missing. Errors: INVALID_ARGUMENT names the
// field and says what is allowed.

// A JSON object (strict_json.h), at most eight levels deep.
absl::StatusOr<nlohmann::json> ParseJsonObject(const std::string& body);

absl::Status WrongField(absl::string_view field, absl::string_view what);

absl::StatusOr<std::string> ReadString(const nlohmann::json& object, const char* field,
                                       const std::string& if_missing);

struct IntegerRange {
  int32_t min = 0;
  int32_t max = 0;
};
absl::StatusOr<int32_t> ReadInteger(const nlohmann::json& object, const char* field, int32_t if_missing,
                                    IntegerRange range);

// A string, or a list of strings.
struct Texts {
  std::vector<std::string> items;
  bool is_list = false;
};
absl::StatusOr<Texts> ReadTexts(const nlohmann::json& object, const char* field);

}  // namespace attendant
