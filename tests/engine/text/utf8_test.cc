#include "engine/text/utf8.h"

#include <gtest/gtest.h>

namespace attendant {
namespace {

TEST(Utf8Test, DecodesTheFirstAndLastCharacterOfEachLength) {
  const std::pair<const char*, char32_t> cases[] = {
      {"\x01", 1},        {"\x7F", 0x7F},          {"\u0080", 0x80},        {"\u07FF", 0x7FF},
      {"\u0800", 0x800},  {"\uD7FF", 0xD7FF},      {"\uE000", 0xE000},      {"\uFFFD", 0xFFFD},
      {"\uFFFF", 0xFFFF}, {"\U00010000", 0x10000}, {"\U0010FFFF", 0x10FFFF}};
  for (const auto& [text, code_point] : cases) {
    const Utf8Char c = DecodeUtf8Char(text);
    EXPECT_TRUE(c.is_valid);
    EXPECT_EQ(c.code_point, code_point);
    EXPECT_EQ(c.length_bytes, std::string_view(text).size());
  }
}

TEST(Utf8Test, OverlongFormsSurrogatesAndCutSequencesAreInvalidBytes) {
  for (const char* text : {"\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xFF", "\xC3", "\xE4\xBD", "\xF0\x9F\x98", "\xC3\x41"}) {
    const Utf8Char c = DecodeUtf8Char(text);
    EXPECT_FALSE(c.is_valid) << text;
    EXPECT_EQ(c.length_bytes, 1u);
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

TEST(Utf8Test, EachInvalidByteBecomesOneReplacementCharacter) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xE4\xBD"
                               "b\xFF"),
            "a\uFFFD\uFFFDb\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("ä\uFFFD"), "ä\uFFFD");
}

TEST(Utf8Test, LastCharOffsetIsThatOfTheLastCharacterOrInvalidByte) {
  EXPECT_EQ(LastCharOffset("ab"), 1u);
  EXPECT_EQ(LastCharOffset("a\U0001F600"), 1u);
  EXPECT_EQ(LastCharOffset("ä\xA4"), 2u);
  EXPECT_EQ(LastCharOffset("\x80\x80\x80\x80\x80"), 4u);
}

TEST(Utf8Test, StripsTheSpacesThatPythonStrips) {
  const std::string_view text = "\u3000\x1F\u00A0 a b\u200B \u2029\t\x85";
  EXPECT_EQ(StripPythonSpaceLeft(text), "a b\u200B \u2029\t\x85");
  EXPECT_EQ(StripPythonSpaceRight("\u3000a\u200B \u2029\t\u0085\x1C"), "\u3000a\u200B");
  EXPECT_EQ(StripPythonSpaceRight("a \x85"), "a \x85");  // An invalid byte, no U+0085.
  EXPECT_EQ(StripPythonSpaceRight(" \t"), "");
}

TEST(Utf8Test, AnnouncedLengthEndsWithTheText) {
  EXPECT_EQ(AnnouncedCharLength("\xF0\x9F"), 2u);
  EXPECT_EQ(AnnouncedCharLength("\x80\x80"), 1u);
  EXPECT_EQ(AnnouncedCharLength("\xE4xyz"), 3u);
}

TEST(Utf8Test, SpaceSymbolsBecomeSpaces) {
  EXPECT_EQ(ReplaceSpaceSymbols("\u2581a\u2581\u2581b\u2582"), " a  b\u2582");
}

}  // namespace
}  // namespace attendant
