#include "engine/tasks/model_card.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

constexpr uint64_t kMaxCardBytes = 1 << 20;
constexpr char kCard[] = "README.md";
constexpr std::string_view kSpace = " \t";
// What begins something else than a plain text.
constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>%@`";

std::string_view StripSpace(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// What the front matter stands between.
bool IsMarker(std::string_view line) {
  return line.substr(0, 3) == "---" && StripSpace(line.substr(3)).empty();
}

size_t Indentation(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool IsItem(std::string_view stripped) {
  return stripped == "-" || stripped.substr(0, 2) == "- ";
}

// A text in quotes at the beginning of `text`: its length with them. Escapes are not for us.
std::optional<size_t> QuotedLength(std::string_view text) {
  const size_t end = text.find(text[0], 1);
  if (end == std::string_view::npos || text.substr(0, end).find('\\') != std::string_view::npos) return {};
  return end + 1;
}

bool IsQuote(char c) {
  return c == '"' || c == '\'';
}

// Nothing, or a comment, as it may follow a value.
bool IsRest(std::string_view text) {
  const std::string_view rest = StripSpace(text);
  return rest.empty() || (rest[0] == '#' && text[0] != '#');
}

// A plain or quoted text that is the whole of a line's value; none for anything else.
std::optional<std::string> ParseText(std::string_view value) {
  if (value.empty()) return {};
  if (IsQuote(value[0])) {
    const std::optional<size_t> length = QuotedLength(value);
    if (!length.has_value() || !IsRest(value.substr(*length))) return {};
    return std::string(value.substr(1, *length - 2));
  }
  const std::string_view plain = StripSpace(value.substr(0, value.find(" #")));
  const bool is_other = plain.empty() || kIndicators.find(plain[0]) != std::string_view::npos ||
                        plain.find(": ") != std::string_view::npos || plain.back() == ':';
  if (is_other) return {};
  return std::string(plain);
}

// "[one, 'two']", a comma at the end allowed.
std::optional<std::vector<std::string>> ParseInlineList(std::string_view value) {
  std::vector<std::string> items;
  std::string_view left = value.substr(1);
  for (;;) {
    left = StripSpace(left);
    if (left.empty()) return {};
    if (left[0] == ']') break;
    const size_t length = IsQuote(left[0]) ? QuotedLength(left).value_or(0)
                                           : std::min(left.find_first_of(",[]{}"), left.size());
    const bool has_comment = !IsQuote(left[0]) && left.substr(0, length).find(" #") != std::string_view::npos;
    if (has_comment) return {};  // It would hide the rest.
    const std::optional<std::string> item = ParseText(left.substr(0, length));
    if (!item.has_value()) return {};
    items.push_back(*item);
    left = StripSpace(left.substr(length));
    if (!left.empty() && left[0] == ',') {
      left.remove_prefix(1);
    } else if (left.empty() || left[0] != ']') {
      return {};
    }
  }
  if (!IsRest(left.substr(1))) return {};
  return items;
}

// Whether what a key's line says of its value ends there or goes on in indented lines: a text in quotes or a
// collection in brackets that is open at the line's end may hold anything, also what looks like a key.
bool EndsAsExpected(std::string_view value) {
  if (value.empty()) return true;
  if (IsQuote(value[0])) return value.find_last_of(value[0]) > 0;
  if (value[0] == '[') return value.find(']') != std::string_view::npos;
  if (value[0] == '{') return value.find('}') != std::string_view::npos;
  return true;
}

// The lines of the front matter, one after the other.
class FrontMatterReader {
 public:
  absl::Status Add(std::string_view line) {
    ++number_;
    const std::string_view stripped = StripSpace(line);
    if (stripped.empty() || stripped[0] == '#') return absl::OkStatus();
    const size_t indentation = Indentation(line);
    if (indentation > 0 || IsItem(stripped)) return AddToValue(stripped, indentation);
    return AddKey(line);
  }
  int number() const { return number_; }
  ModelCard Take() { return std::move(card_); }

 private:
  // What may follow.
  enum class State {
    kDone,   // The next key.
    kOther,  // More of a value that does not matter.
    kTags,   // Items of tags.
  };

  absl::Status Error(std::string_view why) const {
    return absl::DataLossError(absl::StrCat("line ", number_, ": ", std::string(why)));
  }

  absl::Status AddKey(std::string_view line) {
    const size_t colon = line.find(':');
    const bool is_key = colon != std::string_view::npos && !StripSpace(line.substr(0, colon)).empty() &&
                        (colon + 1 == line.size() || kSpace.find(line[colon + 1]) != std::string_view::npos);
    if (!is_key) return Error("is not \"key: value\"");
    const std::string_view key = StripSpace(line.substr(0, colon));
    const bool is_plain =
        key[0] == line[0] && !IsQuote(key[0]) && kIndicators.find(key[0]) == std::string_view::npos;
    if (!is_plain) return Error("expected a plain key");
    std::string_view value = StripSpace(line.substr(colon + 1));
    if (value.substr(0, 1) == "#") value = {};
    if (key == "tags") return AddTags(value);
    if (key == "pipeline_tag") return AddPipelineTag(value);
    state_ = State::kOther;
    return EndsAsExpected(value) ? absl::OkStatus()
                                 : Error("its value must end on the line that it begins on");
  }

  absl::Status AddPipelineTag(std::string_view value) {
    const std::optional<std::string> text = ParseText(value);
    if (!text.has_value() || has_pipeline_tag_) return Error("expected one pipeline_tag, a text");
    has_pipeline_tag_ = true;
    card_.pipeline_tag = *text;
    state_ = State::kDone;
    return absl::OkStatus();
  }

  absl::Status AddTags(std::string_view value) {
    if (has_tags_) return Error("tags are there twice");
    has_tags_ = true;
    if (value.empty()) {
      state_ = State::kTags;
      return absl::OkStatus();
    }
    std::optional<std::vector<std::string>> list;
    if (value[0] == '[') list = ParseInlineList(value);
    if (!list.has_value())
      return Error("tags: expected a list of texts, \"[one, two]\" or one \"- \" a line");
    card_.tags = *std::move(list);
    state_ = State::kDone;
    return absl::OkStatus();
  }

  absl::Status AddToValue(std::string_view stripped, size_t indentation) {
    if (state_ == State::kOther) return absl::OkStatus();
    if (state_ == State::kDone) return Error("what came before has ended");
    if (card_.tags.empty()) item_indentation_ = indentation;
    std::optional<std::string> tag;
    if (IsItem(stripped) && indentation == item_indentation_) tag = ParseText(StripSpace(stripped.substr(1)));
    if (!tag.has_value()) return Error("tags: expected \"- \" and a text");
    card_.tags.push_back(*std::move(tag));
    return absl::OkStatus();
  }

  ModelCard card_;
  State state_ = State::kDone;
  bool has_tags_ = false;
  bool has_pipeline_tag_ = false;
  size_t item_indentation_ = 0;
  int number_ = 1;  // Of the line "---".
};

// Takes a line off the text, without its end.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool IsForEmbedding(std::string_view tag) {
  return tag == "sentence-similarity" || tag == "feature-extraction";
}

// The beginning of the card; "" where there is none.
absl::StatusOr<std::string> ReadCard(const std::filesystem::path& dir) {
  const absl::StatusOr<std::string> path = ResolveWithin(dir.string(), kCard);
  if (absl::IsNotFound(path.status())) return "";
  ATTENDANT_RETURN_IF_ERROR(path.status());
  ATTENDANT_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(*path));
  std::string text(std::min(file.size_bytes(), kMaxCardBytes), '\0');
  ATTENDANT_RETURN_IF_ERROR(
      file.ReadAt(0, absl::MakeSpan(reinterpret_cast<std::byte*>(text.data()), text.size())));
  return text;
}

absl::StatusOr<ModelCard> LoadModelCard(const std::filesystem::path& dir) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text, ReadCard(dir));
  return ParseModelCard(text, kCard);
}

}  // namespace

absl::StatusOr<ModelCard> ParseModelCard(std::string_view text, std::string_view source) {
  const auto error = [source](std::string_view why) {
    return absl::DataLossError(absl::StrCat(std::string(source), ": ", std::string(why)));
  };
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  if (!IsMarker(TakeLine(text))) return ModelCard();
  FrontMatterReader reader;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    if (IsMarker(line)) return reader.Take();
    const absl::Status status = reader.Add(line);
    if (!status.ok()) return error(std::string(status.message()));
  }
  return error(
      absl::StrCat("its front matter, lines 1 to ", reader.number(), ", has no end, another \"---\""));
}

absl::Status CheckCardSaysEmbedding(const std::filesystem::path& dir) {
  const absl::StatusOr<ModelCard> card = LoadModelCard(dir);
  if (card.ok()) {
    const bool has_tag = std::any_of(card->tags.begin(), card->tags.end(), IsForEmbedding);
    if (has_tag || IsForEmbedding(card->pipeline_tag)) return absl::OkStatus();
  }
  const std::string wrong =
      card.ok() ? "its card does not say so"
                : absl::StrCat("its card is not readable (", std::string(card.status().message()), ")");
  return absl::FailedPreconditionError(absl::StrCat(
      "a translation model embeds texts only if its card says so, and ", wrong,
      "; let README.md in its directory begin with the lines \"---\", \"tags: [feature-extraction]\" and "
      "\"---\", and load it again"));
}

}  // namespace attendant
