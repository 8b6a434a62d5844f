#include "engine/text/added_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace attendant {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::vector<std::pair<std::string, int32_t>> Split(std::vector<AddedToken> tokens, std::string_view text) {
  std::vector<std::pair<std::string, int32_t>> parts;
  const AddedTokens added(std::move(tokens));
  for (const AddedTokens::Part& part : added.Split(text)) parts.emplace_back(std::string(part.text), part.id);
  return parts;
}

TEST(AddedTokensTest, LeftmostThenLongestTokenIsCutOut) {
  const std::vector<AddedToken> tokens = {{"<a>", 1}, {"<a><b>", 2}, {"b>x", 3}};
  EXPECT_THAT(Split(tokens, "x<a><a><b>x"),
              ElementsAre(Pair("x", -1), Pair("<a>", 1), Pair("<a><b>", 2), Pair("x", -1)));
}

TEST(AddedTokensTest, WhiteSpaceIsStrippedOnTheSidesThatTheTokenNames) {
  const std::vector<AddedToken> tokens = {{"L", 1, true, false}, {"R", 2, false, true}};
  EXPECT_THAT(Split(tokens, "a \u3000L bR c "),
              ElementsAre(Pair("a", -1), Pair("L", 1), Pair(" b", -1), Pair("R", 2), Pair("c ", -1)));
  EXPECT_THAT(Split(tokens, " L"), ElementsAre(Pair("L", 1)));
}

TEST(AddedTokensTest, EmptyTextAndEmptyTokensGiveNothing) {
  EXPECT_THAT(Split({{"", 1}}, ""), ElementsAre());
  EXPECT_THAT(Split({{"", 1}}, "ab"), ElementsAre(Pair("ab", -1)));
}

}  // namespace
}  // namespace attendant
