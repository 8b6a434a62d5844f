#include "engine/text/token_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace attendant {
namespace {

using ::testing::HasSubstr;

TEST(TokenTableTest, LooksUpBothWays) {
  const auto table = TokenTable::Parse(R"({"</s>": 0, "\u2581a": 2, "": 3, "nul\u0000": 4})");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->Id("\u2581a"), 2);
  EXPECT_EQ(table->Id("b"), TokenTable::kNoId);
  EXPECT_EQ(table->Token(2), "\u2581a");
  EXPECT_EQ(table->Token(1), "");
  EXPECT_EQ(table->Token(4), std::string_view("nul\0", 4));
  EXPECT_EQ(table->Token(-1), "");
  EXPECT_EQ(table->Token(5), "");
  EXPECT_EQ(table->num_tokens(), 4);
  EXPECT_EQ(table->end_id(), 5);
}

TEST(TokenTableTest, LaterTokenOfAnIdIsItsText) {
  const auto table = TokenTable::Parse(R"({"a": 0, "b": 0})");
  EXPECT_EQ(table->Token(0), "b");
  EXPECT_EQ(table->Id("a"), 0);
}

TEST(TokenTableTest, RefusesWhatIsNoFlatObjectOfIds) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "not JSON"},
      {"{\"a\": 1", "not JSON"},
      {"[1]", "an array"},
      {"3", "is a number"},
      {"\"a\"", "a string"},
      {"{\"a\": {\"b\": 1}}", "an object inside"},
      {"{\"a\": [1]}", "an array"},
      {"{\"a\": null}", "a null"},
      {"{\"a\": true}", "a boolean"},
      {"{\"a\": 1.5}", "a fraction"},
      {"{\"a\": \"1\"}", "a string"},
      {"{\"a\": -1}", "is negative"},
      {"{\"a\": 2097152}", "is over 2097151"},
      {"{\"a\": 99999999999999999999999}", "a fraction"},
      {"{\"a\": 1, \"a\": 2}", "comes twice"},
      {std::string(1000000, '['), "an array"},
  };
  for (const auto& [json, reason] : cases) {
    const auto table = TokenTable::Parse(json);
    EXPECT_EQ(table.status().code(), absl::StatusCode::kDataLoss) << reason;
    EXPECT_THAT(std::string(table.status().message()), HasSubstr(reason));
  }
  EXPECT_TRUE(TokenTable::Parse("{\"a\": 2097151}").ok());
}

}  // namespace
}  // namespace attendant
