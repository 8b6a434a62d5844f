#include "engine/text/hf/vocab_files.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/json_fields.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"
#include "engine/text/utf8.h"

namespace attendant::hf {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxFileBytes = 32 << 20;
constexpr JsonLimits kLimits = {.max_bytes = kMaxFileBytes, .max_depth = 16, .max_values = 1 << 20};

absl::StatusOr<std::string> ReadFile(const std::string& model_dir, std::string_view name) {
  return ReadTextFileWithin(model_dir, name, kMaxFileBytes);
}

// An empty object where there is no such file.
absl::StatusOr<json> ReadConfig(const std::string& model_dir, const std::string& name) {
  absl::StatusOr<std::string> text = ReadFile(model_dir, name);
  if (absl::IsNotFound(text.status())) return json::object();
  if (!text.ok()) return text.status();
  ATTENDANT_ASSIGN_OR_RETURN(json config, ParseStrictJson(*text, name, kLimits));
  if (!config.is_object()) return absl::DataLossError(absl::StrCat(name, ": expected object"));
  return config;
}

// The lines, each without its line break ("\n" or "\r\n").
std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// What the classes of transformers differ in.
struct KnownClass {
  std::string_view name;  // Without "Fast".
  std::string_view model_type;
  std::string_view cls, sep, unk, pad, mask;
  bool has_two_separators;  // Between the sequences of a pair.
};
constexpr KnownClass kBert = {"BertTokenizer", "bert", "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]", false};
constexpr KnownClass kWordPieceClasses[] = {
    kBert,
    {"DistilBertTokenizer", "distilbert", "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]", false},
    {"ElectraTokenizer", "electra", "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]", false},
    {"MPNetTokenizer", "mpnet", "<s>", "</s>", "[UNK]", "<pad>", "<mask>", true}};
constexpr KnownClass kRoberta = {"RobertaTokenizer", "roberta", "<s>", "</s>", "<unk>", "<pad>",
                                 "<mask>",           true};
constexpr KnownClass kByteLevelClasses[] = {
    kRoberta,
    {"BartTokenizer", "bart", "<s>", "</s>", "<unk>", "<pad>", "<mask>", true},
    {"LongformerTokenizer", "longformer", "<s>", "</s>", "<unk>", "<pad>", "<mask>", true}};

// What a directory's configuration says, and defaults.
class Settings {
 public:
  Settings(json tokenizer_config, const json& model_config)
      : config_(std::move(tokenizer_config)), fields_(config_, "tokenizer_config.json") {
    fields_.Read("tokenizer_class", class_);
    if (constexpr std::string_view kFast = "Fast";
        class_.size() > kFast.size() && class_.compare(class_.size() - 4, 4, kFast) == 0) {
      class_.resize(class_.size() - kFast.size());
    }
    JsonFields(model_config, "config.json").Read("model_type", model_type_);
  }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  // The class among known, or fallback where the files name none.
  template <size_t kSize>
  absl::StatusOr<KnownClass> ClassAmong(const KnownClass (&known)[kSize], const KnownClass* fallback) const {
    for (const KnownClass& candidate : known) {
      if (class_.empty() ? candidate.model_type == model_type_ : candidate.name == class_) return candidate;
    }
    if (class_.empty() && model_type_.empty() && fallback != nullptr) return *fallback;
    return absl::FailedPreconditionError(
        absl::StrCat("tokenizer_config.json: the vocabulary files of tokenizer_class \"", class_,
                     "\" (model_type \"", model_type_, "\") are not supported; a tokenizer.json is"));
  }

  bool Bool(const std::string& key, bool fallback) {
    fields_.Read(key, fallback);
    return fallback;
  }
  std::string String(const std::string& key, std::string fallback) {
    fields_.Read(key, fallback);
    return fallback;
  }
  const json& Get(const std::string& key) const { return fields_.Get(key); }
  const absl::Status& status() const { return fields_.status(); }

  // "[CLS]" or {"content": "[CLS]", ...}; as an added token.
  json SpecialToken(const std::string& key, std::string_view fallback, bool strips_left) {
    json token = {{"content", std::string(fallback)},
                  {"special", true},
                  {"normalized", false},
                  {"single_word", false},
                  {"lstrip", strips_left},
                  {"rstrip", false}};
    const json& given = Get(key);
    if (given.is_string()) token["content"] = given;
    if (given.is_object()) {
      for (const char* field : {"content", "normalized", "single_word", "lstrip", "rstrip"}) {
        if (given.contains(field)) token[field] = given[field];
      }
    }
    if (!token["content"].is_string()) fields_.Fail(key, "expected a token");
    return token;
  }

 private:
  const json config_;
  JsonFields fields_;
  std::string class_;
  std::string model_type_;
};

struct SpecialTokens {
  json cls, sep, unk, pad, mask;
};

SpecialTokens ReadSpecialTokens(const KnownClass& known, bool mask_strips_left, Settings* settings) {
  return {settings->SpecialToken("cls_token", known.cls, false),
          settings->SpecialToken("sep_token", known.sep, false),
          settings->SpecialToken("unk_token", known.unk, false),
          settings->SpecialToken("pad_token", known.pad, false),
          settings->SpecialToken("mask_token", known.mask, mask_strips_left)};
}

// "added_tokens_decoder" where there is one, in the order of ids; the special tokens behind.
absl::StatusOr<json> AddedTokens(const SpecialTokens& special, const Settings& settings) {
  std::vector<std::pair<int64_t, json>> listed;
  const json& given = settings.Get("added_tokens_decoder");
  const json decoder = given.is_object() ? given : json::object();
  for (const auto& item : decoder.items()) {
    const std::string& key = item.key();
    if (key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != std::string::npos) {
      return absl::DataLossError(absl::StrCat("tokenizer_config.json: added_tokens_decoder: no id: ", key));
    }
    listed.emplace_back(std::stoll(key), item.value());
  }
  std::sort(listed.begin(), listed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  json tokens = json::array();
  std::vector<std::string> contents;
  const auto add = [&](const json& token) {
    const bool has_content = token.is_object() && token.contains("content") && token["content"].is_string();
    const std::string content = has_content ? token["content"].get<std::string>() : std::string();
    if (std::find(contents.begin(), contents.end(), content) != contents.end()) return;
    contents.push_back(content);
    tokens.push_back(token);
  };
  constexpr size_t kMaxListed = 4096;
  if (listed.size() > kMaxListed)
    return absl::FailedPreconditionError("tokenizer_config.json: too many added tokens");
  for (const auto& [id, token] : listed) add(token);
  for (const json& token : {special.cls, special.pad, special.sep, special.unk, special.mask}) add(token);
  return tokens;
}

absl::StatusOr<json> IdIn(const json& vocab, const json& token) {
  const auto found = vocab.find(token["content"].get<std::string>());
  if (found == vocab.end()) {
    return absl::DataLossError(absl::StrCat("the vocabulary has no ", token["content"].get<std::string>()));
  }
  return *found;
}

// [CLS] A [SEP], and for pairs [CLS] A [SEP] B [SEP] or [CLS] A [SEP] [SEP] B [SEP].
absl::StatusOr<json> Template(const json& vocab, const SpecialTokens& special, bool has_two_separators) {
  ATTENDANT_ASSIGN_OR_RETURN(const json cls_id, IdIn(vocab, special.cls));
  ATTENDANT_ASSIGN_OR_RETURN(const json sep_id, IdIn(vocab, special.sep));
  const auto token = [](const char* name, int type_id) {
    return json{{"SpecialToken", {{"id", name}, {"type_id", type_id}}}};
  };
  const auto sequence = [](const char* name, int type_id) {
    return json{{"Sequence", {{"id", name}, {"type_id", type_id}}}};
  };
  json single = json::array({token("cls", 0), sequence("A", 0), token("sep", 0)});
  json pair = single;
  if (has_two_separators) pair.push_back(token("sep", 0));
  pair.push_back(sequence("B", 1));
  pair.push_back(token("sep", 1));
  return json{{"type", "TemplateProcessing"},
              {"single", std::move(single)},
              {"pair", std::move(pair)},
              {"special_tokens",
               {{"cls", {{"ids", json::array({cls_id})}}}, {"sep", {{"ids", json::array({sep_id})}}}}}};
}

absl::StatusOr<json> FromVocabTxt(std::string_view vocab_txt, Settings* settings) {
  ATTENDANT_ASSIGN_OR_RETURN(const KnownClass known, settings->ClassAmong(kWordPieceClasses, &kBert));
  json vocab = json::object();
  int32_t id = 0;
  for (const std::string& line : Lines(vocab_txt)) {
    if (!IsValidUtf8(line))
      return absl::DataLossError(absl::StrCat("vocab.txt: line ", id + 1, " is not UTF-8"));
    vocab[std::string(StripPythonSpaceRight(line))] = id++;
  }
  const SpecialTokens special =
      ReadSpecialTokens(known, /*mask_strips_left=*/known.has_two_separators, settings);
  const bool lower_cases = settings->Bool("do_lower_case", true);
  const json& strips_accents = settings->Get("strip_accents");
  const bool handles_chinese = settings->Bool("tokenize_chinese_chars", true);
  ATTENDANT_RETURN_IF_ERROR(settings->status());
  ATTENDANT_ASSIGN_OR_RETURN(json added, AddedTokens(special, *settings));
  ATTENDANT_ASSIGN_OR_RETURN(json post_processor, Template(vocab, special, known.has_two_separators));
  return json{{"added_tokens", std::move(added)},
              {"normalizer",
               {{"type", "BertNormalizer"},
                {"clean_text", true},
                {"handle_chinese_chars", handles_chinese},
                {"strip_accents", strips_accents},
                {"lowercase", lower_cases}}},
              {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
              {"post_processor", std::move(post_processor)},
              {"model",
               {{"type", "WordPiece"},
                {"unk_token", special.unk["content"]},
                {"continuing_subword_prefix", "##"},
                {"max_input_chars_per_word", 100},
                {"vocab", std::move(vocab)}}}};
}

absl::StatusOr<json> FromVocabJson(std::string_view vocab_json, std::string_view merges_txt,
                                   Settings* settings) {
  ATTENDANT_ASSIGN_OR_RETURN(json vocab, ParseStrictJson(vocab_json, "vocab.json", kLimits));
  if (!vocab.is_object()) return absl::DataLossError("vocab.json: expected object");
  const bool is_roberta = vocab.contains("<s>") && vocab.contains("</s>");
  ATTENDANT_ASSIGN_OR_RETURN(const KnownClass known,
                             settings->ClassAmong(kByteLevelClasses, is_roberta ? &kRoberta : nullptr));
  json merges = json::array();
  for (std::string& line : Lines(merges_txt)) {
    if (!IsValidUtf8(line)) return absl::DataLossError("merges.txt: not UTF-8");
    if (!line.empty()) merges.push_back(std::move(line));
  }
  const SpecialTokens special = ReadSpecialTokens(known, /*mask_strips_left=*/true, settings);
  const bool adds_prefix = settings->Bool("add_prefix_space", false);
  const bool trims = settings->Bool("trim_offsets", true);
  ATTENDANT_RETURN_IF_ERROR(settings->status());
  ATTENDANT_ASSIGN_OR_RETURN(json added, AddedTokens(special, *settings));
  ATTENDANT_ASSIGN_OR_RETURN(const json cls_id, IdIn(vocab, special.cls));
  ATTENDANT_ASSIGN_OR_RETURN(const json sep_id, IdIn(vocab, special.sep));
  return json{
      {"added_tokens", std::move(added)},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", adds_prefix}, {"trim_offsets", trims}}},
      {"post_processor",
       {{"type", "RobertaProcessing"},
        {"cls", json::array({special.cls["content"], cls_id})},
        {"sep", json::array({special.sep["content"], sep_id})},
        {"trim_offsets", trims},
        {"add_prefix_space", adds_prefix}}},
      {"model", {{"type", "BPE"}, {"vocab", std::move(vocab)}, {"merges", std::move(merges)}}}};
}

}  // namespace

absl::StatusOr<json> TokenizerJsonFromVocabFiles(const std::string& model_dir) {
  ATTENDANT_ASSIGN_OR_RETURN(json tokenizer_config, ReadConfig(model_dir, "tokenizer_config.json"));
  ATTENDANT_ASSIGN_OR_RETURN(const json model_config, ReadConfig(model_dir, "config.json"));
  Settings settings(std::move(tokenizer_config), model_config);
  const absl::StatusOr<std::string> vocab_txt = ReadFile(model_dir, "vocab.txt");
  if (vocab_txt.ok()) return FromVocabTxt(*vocab_txt, &settings);
  if (!absl::IsNotFound(vocab_txt.status())) return vocab_txt.status();
  const absl::StatusOr<std::string> vocab_json = ReadFile(model_dir, "vocab.json");
  if (absl::IsNotFound(vocab_json.status())) {
    return absl::NotFoundError(
        absl::StrCat(model_dir, ": no tokenizer.json, vocab.txt, or vocab.json with merges.txt"));
  }
  if (!vocab_json.ok()) return vocab_json.status();
  ATTENDANT_ASSIGN_OR_RETURN(const std::string merges_txt, ReadFile(model_dir, "merges.txt"));
  return FromVocabJson(*vocab_json, merges_txt, &settings);
}

}  // namespace attendant::hf
