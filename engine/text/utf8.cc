#include "engine/text/utf8.h"

#include <algorithm>

namespace attendant {
namespace {

// The bits of the lead byte that belong to the code point, and the smallest code point of that length, by
// length.
constexpr uint8_t kLeadMask[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
constexpr char32_t kSmallest[5] = {0, 0, 0x80, 0x800, 0x10000};

size_t LengthOfLeadByte(uint8_t lead) {
  if (lead < 0x80) return 1;
  if ((lead & 0xE0) == 0xC0) return 2;
  if ((lead & 0xF0) == 0xE0) return 3;
  if ((lead & 0xF8) == 0xF0) return 4;
  return 0;
}

bool IsScalarValue(char32_t c) {
  return c < 0xD800 || (c >= 0xE000 && c <= 0x10FFFF);
}

bool IsTrailByte(char byte) {
  return (static_cast<uint8_t>(byte) & 0xC0) == 0x80;
}

}  // namespace

Utf8Char DecodeUtf8Char(std::string_view text) {
  const uint8_t lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const size_t length = LengthOfLeadByte(lead);
  if (length == 0 || length > text.size()) return {};
  char32_t code_point = lead & kLeadMask[length];
  for (size_t i = 1; i < length; ++i) {
    if (!IsTrailByte(text[i])) return {};
    code_point = (code_point << 6) | (static_cast<uint8_t>(text[i]) & 0x3F);
  }
  if (code_point < kSmallest[length] || !IsScalarValue(code_point)) return {};
  return {code_point, static_cast<uint32_t>(length), true};
}

size_t AnnouncedCharLength(std::string_view text) {
  // By the upper four bits alone, as SentencePiece does: a stray trail byte counts as one character.
  constexpr uint8_t kLengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  return std::min<size_t>(kLengths[static_cast<uint8_t>(text[0]) >> 4], text.size());
}

size_t LastCharOffset(std::string_view text) {
  size_t start = text.size() - 1;
  while (start > 0 && text.size() - start < 4 && IsTrailByte(text[start])) --start;
  const Utf8Char c = DecodeUtf8Char(text.substr(start));
  return c.length_bytes == text.size() - start ? start : text.size() - 1;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8Char(text);
    if (!c.is_valid) return false;
    text.remove_prefix(c.length_bytes);
  }
  return true;
}

std::string ReplaceSpaceSymbols(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t mark; (mark = text.find(kSpaceSymbol)) != std::string_view::npos;) {
    result.append(text.substr(0, mark)).push_back(' ');
    text.remove_prefix(mark + kSpaceSymbol.size());
  }
  return result.append(text);
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8Char(text);
    result.append(c.is_valid ? text.substr(0, c.length_bytes) : kReplacementCharacter);
    text.remove_prefix(c.length_bytes);
  }
  return result;
}

bool IsPythonSpace(char32_t c) {
  if (c <= 0x20) return c == 0x20 || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view StripPythonSpaceLeft(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8Char(text);
    if (!c.is_valid || !IsPythonSpace(c.code_point)) break;
    text.remove_prefix(c.length_bytes);
  }
  return text;
}

std::string_view StripPythonSpaceRight(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8Char(text.substr(LastCharOffset(text)));
    if (!c.is_valid || !IsPythonSpace(c.code_point)) break;
    text.remove_suffix(c.length_bytes);
  }
  return text;
}

}  // namespace attendant
