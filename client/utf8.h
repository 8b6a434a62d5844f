#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace attendant::client {

struct Utf8Char {
  char32_t code_point = 0xFFFD;
  size_t length_bytes = 1;
  bool is_valid = false;
};

// The first character of text, which must not be empty. What is not UTF-8 (overlong forms and surrogates
// included) is one invalid byte.
Utf8Char DecodeUtf8(std::string_view text);

struct CleanUtf8 {
  std::string text;
  uint64_t replaced_bytes = 0;
};

// Each invalid byte becomes one U+FFFD, as the server does it: protobuf strings must be UTF-8.
CleanUtf8 ReplaceInvalidUtf8(std::string_view text);

// Columns that a character or text takes on a terminal: 0 for combining marks, 2 for wide East Asian and
// emoji.
int DisplayWidth(char32_t code_point);
int DisplayWidth(std::string_view text);

// The text with control characters (line breaks, escape sequences) as U+FFFD, and at most max_columns wide: a
// longer one ends in "…". For labels.
std::string PrintableLabel(std::string_view text, int max_columns);
// The same at any width.
std::string PrintableLabel(std::string_view text);

}  // namespace attendant::client
