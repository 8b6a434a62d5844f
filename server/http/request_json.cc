#include "server/http/request_json.h"

#include "absl/strings/str_cat.h"
#include "engine/base/strict_json.h"

namespace attendant {
namespace {

using nlohmann::json;

const json* Find(const json& object, const char* field) {
  const auto found = object.find(field);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string WrongType(const char* wanted, const json& value) {
  return absl::StrCat("must be ", wanted, ", not ", std::string(JsonTypeName(value)));
}

}  // namespace

absl::StatusOr<json> ParseJsonObject(const std::string& body) {
  JsonLimits limits;
  limits.max_bytes = body.size();  // The listener has bounded it.
  limits.max_depth = 8;
  absl::StatusOr<json> parsed = ParseStrictJson(body, "body", limits);
  if (!parsed.ok()) return absl::InvalidArgumentError(parsed.status().message());
  if (!parsed->is_object()) return absl::InvalidArgumentError("body: must be a JSON object");
  return parsed;
}

absl::Status WrongField(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::StatusOr<std::string> ReadString(const json& object, const char* field, const std::string& if_missing) {
  const json* value = Find(object, field);
  if (value == nullptr) return if_missing;
  if (!value->is_string()) return WrongField(field, WrongType("a string", *value));
  return value->get<std::string>();
}

absl::StatusOr<int32_t> ReadInteger(const json& object, const char* field, int32_t if_missing,
                                    IntegerRange range) {
  const json* value = Find(object, field);
  if (value == nullptr) return if_missing;
  if (!value->is_number_integer()) return WrongField(field, WrongType("a whole number", *value));
  const bool is_huge = value->is_number_unsigned() && value->get<uint64_t>() > INT32_MAX;
  const int64_t number = is_huge ? INT64_MAX : value->get<int64_t>();
  if (number < range.min || number > range.max) {
    return WrongField(field, absl::StrCat("must be ", range.min, " to ", range.max));
  }
  return static_cast<int32_t>(number);
}

absl::StatusOr<Texts> ReadTexts(const json& object, const char* field) {
  const json* value = Find(object, field);
  if (value == nullptr) return WrongField(field, "is missing");
  if (value->is_string()) return Texts{{value->get<std::string>()}, false};
  if (!value->is_array()) return WrongField(field, WrongType("a string or a list of strings", *value));
  Texts texts{{}, true};
  for (const json& item : *value) {
    if (!item.is_string()) return WrongField(field, WrongType("a string or a list of strings", item));
    texts.items.push_back(item.get<std::string>());
  }
  return texts;
}

}  // namespace attendant
