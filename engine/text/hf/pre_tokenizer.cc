#include "engine/text/hf/pre_tokenizer.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/text/hf/char_classes.h"
#include "engine/text/hf/component_json.h"
#include "engine/text/hf/normalizer.h"
#include "engine/text/hf/pattern.h"
#include "engine/text/utf8.h"

namespace attendant::hf {
namespace {

using nlohmann::json;
using Chunks = std::vector<Chunk>;
using ChunksOr = absl::StatusOr<Chunks>;
using PreTokenizerOr = absl::StatusOr<std::unique_ptr<PreTokenizer>>;

class Cutter : public PreTokenizer {
 public:
  using Function = std::function<absl::Status(PreTokenizedText*)>;
  explicit Cutter(Function function) : function_(std::move(function)) {}

  absl::Status PreTokenize(PreTokenizedText* text) const override { return function_(text); }

 private:
  const Function function_;
};

std::unique_ptr<PreTokenizer> MakeCutter(Cutter::Function function) {
  return std::make_unique<Cutter>(std::move(function));
}

class Cutters : public PreTokenizer {
 public:
  explicit Cutters(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}

  absl::Status PreTokenize(PreTokenizedText* text) const override {
    for (const auto& step : steps_) ATTENDANT_RETURN_IF_ERROR(step->PreTokenize(text));
    return absl::OkStatus();
  }

 private:
  const std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

using IsMatch = bool (*)(char32_t);

absl::Status SplitAtChars(PreTokenizedText* text, IsMatch is_match, SplitBehavior behavior) {
  return text->Split(
      [&](std::string_view piece) -> ChunksOr { return JoinChunks(CutAtChars(piece, is_match), behavior); });
}

Chunks Inverted(Chunks chunks) {
  for (Chunk& chunk : chunks) chunk.is_match = !chunk.is_match;
  return chunks;
}

absl::StatusOr<SplitBehavior> BehaviorOf(const json& step, std::string_view source) {
  static const auto* const kNames =
      new std::map<std::string, SplitBehavior>{{"Removed", SplitBehavior::kRemoved},
                                               {"Isolated", SplitBehavior::kIsolated},
                                               {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
                                               {"MergedWithNext", SplitBehavior::kMergedWithNext},
                                               {"Contiguous", SplitBehavior::kContiguous}};
  ATTENDANT_ASSIGN_OR_RETURN(const std::string name, RequiredString(step, "behavior", source));
  const auto found = kNames->find(name);
  if (found == kNames->end()) return NotSupported(source, absl::StrCat("behavior \"", name, "\""));
  return found->second;
}

// A field that holds one character.
absl::StatusOr<std::string> RequiredChar(const json& step, const std::string& key, std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(std::string value, RequiredString(step, key, source));
  if (value.empty() || DecodeUtf8Char(value).length_bytes != value.size()) {
    return Malformed(source, absl::StrCat(key, ": expected one character"));
  }
  return value;
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

enum class PrependScheme { kFirst, kNever, kAlways };

absl::StatusOr<PrependScheme> PrependSchemeOf(const json& step, std::string_view source) {
  PrependScheme scheme = PrependScheme::kAlways;
  if (!IsNull(step, "prepend_scheme")) {
    ATTENDANT_ASSIGN_OR_RETURN(const std::string name, RequiredString(step, "prepend_scheme", source));
    if (name == "first") {
      scheme = PrependScheme::kFirst;
    } else if (name == "never") {
      scheme = PrependScheme::kNever;
    } else if (name != "always") {
      return NotSupported(source, absl::StrCat("prepend_scheme \"", name, "\""));
    }
  }
  // How the scheme was said before there were three of them.
  ATTENDANT_ASSIGN_OR_RETURN(const bool adds_prefix, OptionalBool(step, "add_prefix_space", true, source));
  if (adds_prefix) return scheme;
  if (!IsNull(step, "prepend_scheme") && scheme != PrependScheme::kNever) {
    return Malformed(source, "add_prefix_space contradicts prepend_scheme");
  }
  return PrependScheme::kNever;
}

struct Metaspace {
  std::string mark;
  PrependScheme scheme;
  bool splits;
  std::shared_ptr<Pattern> space = MakeLiteralPattern(" ");
  std::shared_ptr<Pattern> mark_pattern = MakeLiteralPattern(mark);

  absl::Status Rewrite(AlignedText* piece) const {
    ATTENDANT_ASSIGN_OR_RETURN(const Chunks spaces, space->Cut(piece->text()));
    ATTENDANT_RETURN_IF_ERROR(piece->Replace(spaces, mark));
    const bool prepends =
        scheme == PrependScheme::kAlways || (scheme == PrependScheme::kFirst && piece->origin() == 0);
    return prepends && !StartsWith(piece->text(), mark) ? piece->Prepend(mark) : absl::OkStatus();
  }

  absl::Status operator()(PreTokenizedText* text) const {
    ATTENDANT_RETURN_IF_ERROR(text->Rewrite([this](AlignedText* piece) { return Rewrite(piece); }));
    if (!splits) return absl::OkStatus();
    return text->Split([this](std::string_view piece) -> ChunksOr {
      ATTENDANT_ASSIGN_OR_RETURN(const Chunks chunks, mark_pattern->Cut(piece));
      return JoinChunks(chunks, SplitBehavior::kMergedWithNext);
    });
  }
};

PreTokenizerOr MakeMetaspace(const json& step, std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string mark, RequiredChar(step, "replacement", source));
  ATTENDANT_ASSIGN_OR_RETURN(const PrependScheme scheme, PrependSchemeOf(step, source));
  ATTENDANT_ASSIGN_OR_RETURN(const bool splits, OptionalBool(step, "split", true, source));
  return MakeCutter(Metaspace{mark, scheme, splits});
}

PreTokenizerOr MakeByteLevel(const json& step, std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(const bool adds_prefix, RequiredBool(step, "add_prefix_space", source));
  ATTENDANT_ASSIGN_OR_RETURN(const bool uses_regex, OptionalBool(step, "use_regex", true, source));
  return MakeCutter([adds_prefix, uses_regex](PreTokenizedText* text) {
    if (adds_prefix) {
      ATTENDANT_RETURN_IF_ERROR(text->Rewrite([](AlignedText* piece) {
        return StartsWith(piece->text(), " ") ? absl::OkStatus() : piece->Prepend(" ");
      }));
    }
    if (uses_regex) {
      ATTENDANT_RETURN_IF_ERROR(
          text->Split([](std::string_view piece) -> ChunksOr { return CutAtGpt2Words(piece); }));
    }
    return text->Rewrite(ToByteLevel);
  });
}

PreTokenizerOr MakeSplit(const json& step, std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(std::shared_ptr<Pattern> pattern, PatternOf(step, source));
  ATTENDANT_ASSIGN_OR_RETURN(const SplitBehavior behavior, BehaviorOf(step, source));
  ATTENDANT_ASSIGN_OR_RETURN(const bool inverts, RequiredBool(step, "invert", source));
  return MakeCutter([pattern, behavior, inverts](PreTokenizedText* text) {
    return text->Split([&](std::string_view piece) -> ChunksOr {
      ATTENDANT_ASSIGN_OR_RETURN(Chunks chunks, pattern->Cut(piece));
      return JoinChunks(inverts ? Inverted(std::move(chunks)) : chunks, behavior);
    });
  });
}

PreTokenizerOr MakeDelimiterSplit(const json& step, std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string delimiter, RequiredChar(step, "delimiter", source));
  std::shared_ptr<Pattern> pattern = MakeLiteralPattern(delimiter);
  return MakeCutter([pattern](PreTokenizedText* text) {
    return text->Split([&](std::string_view piece) -> ChunksOr {
      ATTENDANT_ASSIGN_OR_RETURN(const Chunks chunks, pattern->Cut(piece));
      return JoinChunks(chunks, SplitBehavior::kRemoved);
    });
  });
}

PreTokenizerOr MakePunctuation(const json& step, std::string_view source) {
  SplitBehavior behavior = SplitBehavior::kIsolated;
  if (!IsNull(step, "behavior")) {
    ATTENDANT_ASSIGN_OR_RETURN(behavior, BehaviorOf(step, source));
  }
  return MakeCutter(
      [behavior](PreTokenizedText* text) { return SplitAtChars(text, IsBertPunctuation, behavior); });
}

PreTokenizerOr MakeDigits(const json& step, std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(const bool is_individual, RequiredBool(step, "individual_digits", source));
  const SplitBehavior behavior = is_individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
  return MakeCutter([behavior](PreTokenizedText* text) { return SplitAtChars(text, IsNumber, behavior); });
}

PreTokenizerOr MakeFixedLength(const json& step, std::string_view source) {
  int32_t length = 5;
  JsonFields fields(step, source);
  fields.Read("length", {1, 1 << 30}, length);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  return MakeCutter([length](PreTokenizedText* text) {
    return text->Split([length](std::string_view piece) -> ChunksOr {
      Chunks parts;
      int32_t left = 0;  // Characters that the last part still takes.
      for (size_t i = 0; i < piece.size(); --left) {
        if (left == 0) {
          parts.push_back({static_cast<uint32_t>(i), 0, true});
          left = length;
        }
        NextChar(piece, &i);
        parts.back().end = static_cast<uint32_t>(i);
      }
      return parts;
    });
  });
}

absl::Status RunBert(PreTokenizedText* text) {
  ATTENDANT_RETURN_IF_ERROR(SplitAtChars(text, IsWhiteSpace, SplitBehavior::kRemoved));
  return SplitAtChars(text, IsBertPunctuation, SplitBehavior::kIsolated);
}

absl::Status RunWhitespaceSplit(PreTokenizedText* text) {
  return SplitAtChars(text, IsWhiteSpace, SplitBehavior::kRemoved);
}

absl::Status RunWhitespace(PreTokenizedText* text) {
  return text->Split([](std::string_view piece) -> ChunksOr {
    return JoinChunks(Inverted(CutAtWords(piece)), SplitBehavior::kRemoved);
  });
}

PreTokenizerOr MakeCutterOf(const json& step, std::string_view source) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string type, TypeOf(step, source));
  if (type == "BertPreTokenizer") return MakeCutter(RunBert);
  if (type == "WhitespaceSplit") return MakeCutter(RunWhitespaceSplit);
  if (type == "Whitespace") return MakeCutter(RunWhitespace);
  if (type == "ByteLevel") return MakeByteLevel(step, source);
  if (type == "Metaspace") return MakeMetaspace(step, source);
  if (type == "Split") return MakeSplit(step, source);
  if (type == "Punctuation") return MakePunctuation(step, source);
  if (type == "Digits") return MakeDigits(step, source);
  if (type == "CharDelimiterSplit") return MakeDelimiterSplit(step, source);
  if (type == "FixedLength") return MakeFixedLength(step, source);
  return NotSupported(source, absl::StrCat("type \"", type, "\""));
}

}  // namespace

PreTokenizerOr MakePreTokenizer(const json& component, std::string_view source) {
  const std::string name = absl::StrCat(std::string(source), ": pre_tokenizer");
  ATTENDANT_ASSIGN_OR_RETURN(const auto descriptions, StepsOf(component, "pretokenizers", name));
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const json* description : descriptions) {
    ATTENDANT_ASSIGN_OR_RETURN(steps.emplace_back(), MakeCutterOf(*description, name));
  }
  return std::make_unique<Cutters>(std::move(steps));
}

}  // namespace attendant::hf
