#include "tests/deploy/yaml_json.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

using nlohmann::json;

json ToJson(const YAML::Node& node);

json PlainScalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  static const std::regex integer("[-+]?[0-9]+"),
      number("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  static const std::set<std::string> ambiguous = {"yes", "no", "on", "off", "y", "n"};
  if (text.empty() || text == "~" || text == "null") return nullptr;
  if (text == "true") return true;
  if (text == "false") return false;
  if (ambiguous.count(absl::AsciiStrToLower(text)) > 0) {
    throw YAML::ParserException(node.Mark(), "quote \"" + text + "\": some read it as a truth value");
  }
  if (std::regex_match(text, integer)) return std::stoll(text);
  if (std::regex_match(text, number)) return std::stod(text);
  return text;
}

json MapToJson(const YAML::Node& node) {
  json result = json::object();
  for (const auto& entry : node) {
    const std::string& key = entry.first.Scalar();
    if (key == "<<") continue;
    if (result.contains(key))
      throw YAML::ParserException(entry.first.Mark(), "the key \"" + key + "\" stands twice");
    result[key] = ToJson(entry.second);
  }
  if (const YAML::Node merged = node["<<"]) {
    const json base = ToJson(merged);
    for (const auto& [key, value] : base.items()) {
      if (!result.contains(key)) result[key] = value;
    }
  }
  return result;
}

json ToJson(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      return MapToJson(node);
    case YAML::NodeType::Sequence: {
      json result = json::array();
      for (const YAML::Node& item : node) result.push_back(ToJson(item));
      return result;
    }
    case YAML::NodeType::Scalar:
      // The tag "!": quoted, or a block of text.
      return node.Tag() == "!" ? json(node.Scalar()) : PlainScalar(node);
    default:
      return nullptr;
  }
}

}  // namespace

absl::StatusOr<std::vector<json>> ParseYaml(const std::string& text) {
  try {
    std::vector<json> documents;
    for (const YAML::Node& document : YAML::LoadAll(text)) {
      if (!document.IsNull()) documents.push_back(ToJson(document));
    }
    return documents;
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

absl::StatusOr<std::string> ReadText(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good()) return absl::NotFoundError(absl::StrCat(file.string(), ": cannot be read"));
  return text;
}

absl::StatusOr<std::vector<json>> ReadYaml(const std::filesystem::path& file) {
  const absl::StatusOr<std::string> text = ReadText(file);
  if (!text.ok()) return text.status();
  auto documents = ParseYaml(*text);
  if (documents.ok()) return documents;
  return absl::InvalidArgumentError(
      absl::StrCat(file.string(), ": ", std::string(documents.status().message())));
}

}  // namespace attendant
