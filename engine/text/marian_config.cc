#include "engine/text/marian_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"
#include "engine/text/token_table.h"

namespace attendant {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxConfigBytes = size_t{16} << 20;

absl::Status Corrupt(const std::filesystem::path& file, const std::string& what) {
  return absl::DataLossError(absl::StrCat(file.string(), ": ", what));
}

// The object in file, of a model directory; an empty one where there is no such file.
absl::StatusOr<Json> ReadObject(const std::filesystem::path& file) {
  const absl::StatusOr<std::string> text =
      ReadTextFileWithin(file.parent_path().string(), file.filename().string(), kMaxConfigBytes);
  if (absl::IsNotFound(text.status())) return Json::object();
  ATTENDANT_RETURN_IF_ERROR(text.status());
  ATTENDANT_ASSIGN_OR_RETURN(Json object, ParseStrictJson(*text, file.string(), JsonLimits()));
  if (!object.is_object()) return Corrupt(file, "not a JSON object");
  return object;
}

// "<pad>", or {"content": "<pad>", "lstrip": false, ...}.
absl::StatusOr<AddedToken> ParseToken(const Json& value) {
  AddedToken token;
  if (value.is_string()) {
    token.content = value.get<std::string>();
    return token;
  }
  const auto flag = [&value](const char* name) {
    const auto found = value.find(name);
    return found != value.end() && found->is_boolean() && found->get<bool>();
  };
  if (!value.is_object() || !value.contains("content") || !value["content"].is_string()) {
    return absl::DataLossError("is neither a string nor an object with a \"content\"");
  }
  if (flag("single_word")) return absl::UnimplementedError("has \"single_word\", which is not supported");
  token.content = value["content"].get<std::string>();
  token.strips_left = flag("lstrip");
  token.strips_right = flag("rstrip");
  return token;
}

absl::StatusOr<AddedToken> ParseTokenAt(const std::filesystem::path& file, const std::string& key,
                                        const Json& value) {
  absl::StatusOr<AddedToken> token = ParseToken(value);
  if (token.ok()) return token;
  return absl::Status(token.status().code(),
                      absl::StrCat(file.string(), ": \"", key, "\" ", std::string(token.status().message())));
}

absl::Status ReadFlag(const std::filesystem::path& file, const Json& object, const char* key, bool* flag) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return absl::OkStatus();
  if (!found->is_boolean()) return Corrupt(file, absl::StrCat("\"", key, "\" is not a boolean"));
  *flag = found->get<bool>();
  return absl::OkStatus();
}

void AppendUnlessThere(const AddedToken& token, std::vector<AddedToken>* tokens) {
  const auto is_same = [&token](const AddedToken& other) { return other.content == token.content; };
  if (std::none_of(tokens->begin(), tokens->end(), is_same)) tokens->push_back(token);
}

absl::Status ReadSpecialTokens(const std::filesystem::path& file, const Json& object,
                               MarianTokenizerConfig* config) {
  const auto default_of = [config](const std::string& key) -> std::string* {
    if (key == "eos_token") return &config->eos_token;
    if (key == "unk_token") return &config->unk_token;
    return key == "pad_token" ? &config->pad_token : nullptr;
  };
  for (const char* key :
       {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    std::string* name = default_of(key);
    const auto found = object.find(key);
    if (found != object.end() && !found->is_null()) {
      ATTENDANT_ASSIGN_OR_RETURN(const AddedToken token, ParseTokenAt(file, key, *found));
      if (name != nullptr) *name = token.content;
      AppendUnlessThere(token, &config->special_tokens);
    } else if (name != nullptr) {
      AddedToken token;
      token.content = *name;
      AppendUnlessThere(token, &config->special_tokens);
    }
  }
  for (const char* key : {"extra_special_tokens", "additional_special_tokens"}) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_array()) continue;
    for (const Json& value : *found) {
      ATTENDANT_ASSIGN_OR_RETURN(const AddedToken token, ParseTokenAt(file, key, value));
      AppendUnlessThere(token, &config->special_tokens);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int32_t> ParseId(const std::filesystem::path& file, int64_t id) {
  if (id >= 0 && id <= TokenTable::kMaxId) return static_cast<int32_t>(id);
  return Corrupt(file, absl::StrCat("id ", id, " of an added token is outside 0..", TokenTable::kMaxId));
}

absl::Status ReadAddedTokensDecoder(const std::filesystem::path& file, const Json& decoder,
                                    MarianTokenizerConfig* config) {
  if (!decoder.is_object()) return Corrupt(file, "\"added_tokens_decoder\" is not an object");
  for (const auto& [key, value] : decoder.items()) {
    int64_t number = -1;
    if (!absl::SimpleAtoi(key, &number)) return Corrupt(file, absl::StrCat("\"", key, "\" is no token id"));
    ATTENDANT_ASSIGN_OR_RETURN(AddedToken token, ParseTokenAt(file, key, value));
    ATTENDANT_ASSIGN_OR_RETURN(token.id, ParseId(file, number));
    AppendUnlessThere(token, &config->numbered_tokens);
  }
  return absl::OkStatus();
}

absl::Status ReadAddedTokensFile(const std::filesystem::path& file, MarianTokenizerConfig* config) {
  ATTENDANT_ASSIGN_OR_RETURN(const Json object, ReadObject(file));
  for (const auto& [content, id] : object.items()) {
    if (!id.is_number_integer())
      return Corrupt(file, absl::StrCat("the id of \"", content, "\" is no number"));
    AddedToken token;
    token.content = content;
    ATTENDANT_ASSIGN_OR_RETURN(token.id, ParseId(file, id.get<int64_t>()));
    AppendUnlessThere(token, &config->numbered_tokens);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MarianTokenizerConfig> LoadMarianTokenizerConfig(const std::filesystem::path& model_dir) {
  const std::filesystem::path file = model_dir / "tokenizer_config.json";
  ATTENDANT_ASSIGN_OR_RETURN(Json object, ReadObject(file));
  MarianTokenizerConfig config;
  ATTENDANT_RETURN_IF_ERROR(ReadFlag(file, object, "separate_vocabs", &config.separate_vocabs));
  ATTENDANT_RETURN_IF_ERROR(ReadFlag(file, object, "clean_up_tokenization_spaces", &config.clean_up_spaces));
  if (object.contains("added_tokens_decoder")) {
    ATTENDANT_RETURN_IF_ERROR(ReadAddedTokensDecoder(file, object["added_tokens_decoder"], &config));
  } else {
    ATTENDANT_ASSIGN_OR_RETURN(const Json legacy, ReadObject(model_dir / "special_tokens_map.json"));
    object.update(legacy);
    ATTENDANT_RETURN_IF_ERROR(ReadAddedTokensFile(model_dir / "added_tokens.json", &config));
  }
  ATTENDANT_RETURN_IF_ERROR(ReadSpecialTokens(file, object, &config));
  return config;
}

}  // namespace attendant
