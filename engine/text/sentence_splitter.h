#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attendant {

// One sentence of a text and the white space that follows it. The pieces of a text, glued together as
// leading + text + trailing for each in order, are the text again, byte for byte.
struct Sentence {
  std::string leading;   // White space before the sentence; only ever non-empty for the first of a text.
  std::string text;      // No white space at either end. Empty only for a text that is all white space.
  std::string trailing;  // White space, with line breaks, between this sentence and the next.
};

// Splits at sentence ends as Unicode UAX #29 defines them (ICU), save after common abbreviations
// of the locale ("Mr.", "z. B."), and always at line breaks. Invalid UTF-8 becomes U+FFFD first. An empty
// text has no sentences. Thread-safe. Linear in the length of text, which must be under 2 GiB. locale: a BCP
// 47 language ("en"); "" means the root locale.
std::vector<Sentence> SplitSentences(std::string_view text, std::string_view locale);

// Halves an overlong sentence at the most sensible place near its middle: after ; : — or a closing bracket,
// then after a comma, then at any white space, and where there is none, between two grapheme clusters.
// White space at the cut stays with the left half. Punctuation counts in the middle half of the text only,
// and most of it only before white space ("12:30" stays whole). Linear. Both halves are non-empty if text has
// at least two grapheme clusters; left + right == text.
struct Halves {
  std::string left;
  std::string right;
};
Halves HalveSentence(std::string_view text);

}  // namespace attendant
