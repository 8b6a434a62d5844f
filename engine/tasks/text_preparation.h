#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/tasks/translator.h"
#include "engine/text/sentence_splitter.h"
#include "engine/text/tokenizer.h"

namespace attendant {

// One sentence to decode, and where it stands in its text.
struct PreparedSentence {
  std::string source;   // As it is fed, target-language prefix included.
  std::string leading;  // White space of the text.
  std::string trailing;
  std::vector<int32_t> ids;  // With the end token; empty: nothing to feed, it is its own translation.
  bool was_halved = false;
};

struct PreparedText {
  std::string text;                         // Valid UTF-8, without the target-language prefix.
  std::vector<PreparedSentence> sentences;  // None if the text is empty or white space.
  int32_t halved_sentences = 0;
  int32_t replacement_characters = 0;
};

struct TextPreparation {
  const Tokenizer& tokenizer;
  std::string_view locale;  // Of the source, BCP 47.
  int32_t max_source_tokens = 0;
  int32_t max_sentences = 0;
};

// Makes the sentences of a text: validates, splits, encodes, and halves what is beyond the model's positions.
// A text that begins with target-language tokens of the vocabulary (">>deu<< ...") has them before each of
// its sentences. Errors: INVALID_ARGUMENT more than max_sentences, or a sentence that cannot be halved.
// Thread-safe.
absl::StatusOr<PreparedText> PrepareText(std::string_view text, TranslationOptions::Split split,
                                         const TextPreparation& preparation);

// The lines of a text as SplitSentences gives sentences: no white space at either end, none of it lost.
std::vector<Sentence> SplitLines(std::string_view text);

// The leading ">>xxx<<" tokens of text that the tokenizer knows, and what follows them.
struct LanguagePrefix {
  std::string tokens;     // ">>deu<<"; "" if there is none.
  std::string_view rest;  // White space in front removed if there is a prefix.
};
LanguagePrefix TakeLanguagePrefix(std::string_view text, const Tokenizer& tokenizer);

}  // namespace attendant
