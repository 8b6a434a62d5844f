#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace attendant {

// The mark that stands for a space inside pieces, U+2581.
inline constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// The first character of a text. What is not UTF-8 (overlong forms and surrogates included) is one invalid
// byte.
struct Utf8Char {
  char32_t code_point = 0xFFFD;
  uint32_t length_bytes = 1;
  bool is_valid = false;
};

// text must not be empty.
Utf8Char DecodeUtf8Char(std::string_view text);

// The length that the first byte of text announces, at most the length of text, which must not be empty.
size_t AnnouncedCharLength(std::string_view text);

// Where the last character of text, which must not be empty, begins. An invalid byte is a character.
size_t LastCharOffset(std::string_view text);

bool IsValidUtf8(std::string_view text);

// Each space mark becomes a space.
std::string ReplaceSpaceSymbols(std::string_view text);

// Each invalid byte becomes one U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

// White space as Python's str.strip() sees it (Unicode White_Space and U+001C to U+001F).
bool IsPythonSpace(char32_t code_point);
std::string_view StripPythonSpaceLeft(std::string_view text);
std::string_view StripPythonSpaceRight(std::string_view text);

}  // namespace attendant
