#include "client/utf8.h"

#include <iterator>
#include <limits>

namespace attendant::client {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

struct Lead {
  size_t length_bytes;
  char32_t bits;
  char32_t smallest;  // Below it the form is overlong.
};

Lead ReadLead(unsigned char c) {
  if (c < 0x80) return {1, c, 0};
  if (c >= 0xC2 && c < 0xE0) return {2, static_cast<char32_t>(c & 0x1F), 0x80};
  if (c >= 0xE0 && c < 0xF0) return {3, static_cast<char32_t>(c & 0x0F), 0x800};
  if (c >= 0xF0 && c < 0xF5) return {4, static_cast<char32_t>(c & 0x07), 0x10000};
  return {0, 0, 0};
}

struct Range {
  char32_t first;
  char32_t last;
};

// The scripts' blocks, not each character: enough to keep columns in line.
constexpr Range kZeroWidth[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
                                {0x064B, 0x065F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
                                {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
constexpr Range kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
                           {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                           {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

template <size_t N>
bool IsIn(const Range (&ranges)[N], char32_t code_point) {
  for (const Range& range : ranges) {
    if (code_point >= range.first && code_point <= range.last) return true;
  }
  return false;
}

bool IsControl(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
}

}  // namespace

Utf8Char DecodeUtf8(std::string_view text) {
  const Lead lead = ReadLead(static_cast<unsigned char>(text[0]));
  if (lead.length_bytes == 0 || text.size() < lead.length_bytes) return {};
  char32_t code_point = lead.bits;
  for (size_t i = 1; i < lead.length_bytes; ++i) {
    if (!IsContinuation(text[i])) return {};
    code_point = code_point << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  const bool is_surrogate = code_point >= 0xD800 && code_point < 0xE000;
  if (code_point < lead.smallest || is_surrogate || code_point > 0x10FFFF) return {};
  return {.code_point = code_point, .length_bytes = lead.length_bytes, .is_valid = true};
}

CleanUtf8 ReplaceInvalidUtf8(std::string_view text) {
  CleanUtf8 clean;
  clean.text.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    clean.text += c.is_valid ? text.substr(0, c.length_bytes) : kReplacement;
    clean.replaced_bytes += c.is_valid ? 0 : 1;
    text.remove_prefix(c.length_bytes);
  }
  return clean;
}

int DisplayWidth(char32_t code_point) {
  if (IsIn(kZeroWidth, code_point)) return 0;
  return IsIn(kWide, code_point) ? 2 : 1;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    width += DisplayWidth(c.code_point);
    text.remove_prefix(c.length_bytes);
  }
  return width;
}

std::string PrintableLabel(std::string_view text, int max_columns) {
  std::string label;
  std::string shortened;  // The longest beginning that leaves room for the ellipsis.
  int width = 0;
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    width += DisplayWidth(c.code_point);
    if (width > max_columns) return shortened.append(kEllipsis);
    label += c.is_valid && !IsControl(c.code_point) ? text.substr(0, c.length_bytes) : kReplacement;
    if (width < max_columns) shortened = label;
    text.remove_prefix(c.length_bytes);
  }
  return label;
}

std::string PrintableLabel(std::string_view text) {
  return PrintableLabel(text, std::numeric_limits<int>::max());
}

}  // namespace attendant::client
