#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace attendant {

// What is wrong with a value by a JSON Schema (draft 7); empty: nothing. The schema's references are to its
// own "definitions".
std::vector<std::string> SchemaProblems(const nlohmann::json& schema, const nlohmann::json& value);

}  // namespace attendant
