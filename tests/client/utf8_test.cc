#include "client/utf8.h"

#include <gtest/gtest.h>

namespace attendant::client {
namespace {

TEST(ReplaceInvalidUtf8Test, KeepsValidText) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
  const CleanUtf8 clean = ReplaceInvalidUtf8(text);
  EXPECT_EQ(clean.text, text);
  EXPECT_EQ(clean.replaced_bytes, 0U);
}

TEST(ReplaceInvalidUtf8Test, CountsEachInvalidByte) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xFFz").text, "a\xEF\xBF\xBDz");
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\xAF").replaced_bytes, 2U);          // Overlong.
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80").replaced_bytes, 3U);      // Surrogate.
  EXPECT_EQ(ReplaceInvalidUtf8("\xF4\x90\x80\x80").replaced_bytes, 4U);  // Beyond U+10FFFF.
  EXPECT_EQ(ReplaceInvalidUtf8("\xE2\x82").replaced_bytes, 2U);          // Cut short.
  EXPECT_EQ(ReplaceInvalidUtf8("\xE2\x82q").text, "\xEF\xBF\xBD\xEF\xBF\xBDq");
}

TEST(DisplayWidthTest, KnowsCombiningAndWide) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1);
  EXPECT_EQ(DisplayWidth("\xE6\xBC\xA2"), 2);
}

TEST(PrintableLabelTest, ShortensBeyondTheLimitOnly) {
  EXPECT_EQ(PrintableLabel("abc", 4), "abc");
  EXPECT_EQ(PrintableLabel("abcd", 4), "abcd");
  EXPECT_EQ(PrintableLabel("abcde", 4), "abc…");
}

TEST(PrintableLabelTest, TakesControlCharactersAway) {
  EXPECT_EQ(PrintableLabel("a\x1b[2J\n", 20), "a\xEF\xBF\xBD[2J\xEF\xBF\xBD");
}

}  // namespace
}  // namespace attendant::client
