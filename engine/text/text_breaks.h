#pragma once

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <memory>
#include <string_view>

namespace attendant {

// Iterates over the breaks of UTF-8 texts, one after the other, without copying them. Positions are byte
// offsets; npos: no more breaks. Not thread-safe: one per call. Without ICU's data there are no breaks.
class TextBreaks {
 public:
  static constexpr size_t npos = std::string_view::npos;

  // Sentences after UAX #29, with no break after common abbreviations ("Mr.") where locale, a BCP 47
  // language, is not the root ("").
  static TextBreaks Sentences(std::string_view locale);
  // Grapheme clusters after UAX #29.
  static TextBreaks GraphemeClusters();

  ~TextBreaks();
  TextBreaks(const TextBreaks&) = delete;
  TextBreaks& operator=(const TextBreaks&) = delete;

  // text, shorter than 2 GiB, must outlive the iteration, which begins before its first break after 0.
  void SetText(std::string_view text);

  size_t Next();
  size_t After(size_t offset_bytes);   // The first break behind an offset.
  size_t Before(size_t offset_bytes);  // The last break in front of an offset.

 private:
  explicit TextBreaks(std::unique_ptr<icu::BreakIterator> iterator) : iterator_(std::move(iterator)) {}

  std::unique_ptr<icu::BreakIterator> iterator_;  // Null where ICU has no data.
  UText text_ = UTEXT_INITIALIZER;
};

// White space as Unicode defines it (White_Space).
bool IsWhiteSpace(char32_t code_point);
size_t LeadingSpaceBytes(std::string_view text);
std::string_view WithoutTrailingSpace(std::string_view text);

}  // namespace attendant
