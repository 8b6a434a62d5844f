#include "engine/decoding/repetition_guard.h"

#include <gtest/gtest.h>

#include <vector>

namespace attendant {
namespace {

// `lead` different tokens, then cycles of `period` tokens up to `length` in all.
std::vector<int32_t> Looping(size_t lead, size_t period, size_t length) {
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < length; ++i) {
    tokens.push_back(static_cast<int32_t>(i < lead ? 1000 + i : (i - lead) % period));
  }
  return tokens;
}

TEST(RepetitionGuardTest, CutsWhenTheCycleFillsTheWindow) {
  const RepetitionGuard guard(64);
  for (const size_t lead : {0u, 1u, 17u}) {
    for (size_t period = 1; period <= 16; ++period) {
      EXPECT_EQ(guard.CutAt(Looping(lead, period, lead + 63)), std::nullopt) << period;
      EXPECT_EQ(guard.CutAt(Looping(lead, period, lead + 64)), lead + period) << period;
      EXPECT_EQ(guard.CutAt(Looping(lead, period, lead + 65)), lead + period + 1) << period;
    }
  }
}

TEST(RepetitionGuardTest, CycleLongerThanAQuarterOfTheWindowIsNone) {
  const RepetitionGuard guard(64);
  EXPECT_EQ(guard.CutAt(Looping(0, 16, 64)), 16u);
  EXPECT_EQ(guard.CutAt(Looping(0, 17, 64)), std::nullopt);
  EXPECT_EQ(guard.CutAt(Looping(0, 17, 1000)), std::nullopt);
}

TEST(RepetitionGuardTest, OneTokenThatDiffersIsNoCycle) {
  const RepetitionGuard guard(64);
  for (size_t i = 0; i < 64; ++i) {
    std::vector<int32_t> tokens = Looping(0, 3, 64);
    tokens[i] = 99;
    EXPECT_EQ(guard.CutAt(tokens), std::nullopt) << i;
  }
}

TEST(RepetitionGuardTest, NeverCutsFewerTokensThanTheWindow) {
  const RepetitionGuard guard(64);
  EXPECT_EQ(guard.CutAt(std::vector<int32_t>(63, 5)), std::nullopt);
  EXPECT_EQ(guard.CutAt(std::vector<int32_t>(64, 5)), 1u);
}

TEST(RepetitionGuardTest, ZeroFindsNothing) {
  const RepetitionGuard guard(0);
  EXPECT_EQ(guard.CutAt(std::vector<int32_t>(500, 5)), std::nullopt);
  EXPECT_EQ(guard.CertainLength(std::vector<int32_t>(500, 5)), 500u);
}

TEST(RepetitionGuardTest, CertainIsWhatNoLaterCutTakesAway) {
  const RepetitionGuard guard(64);
  EXPECT_EQ(guard.CertainLength({}), 0u);
  EXPECT_EQ(guard.CertainLength(Looping(9, 4, 9)), 9u);
  for (size_t length = 9 + 4; length <= 9 + 63; ++length)
    EXPECT_EQ(guard.CertainLength(Looping(9, 4, length)), 13u);
}

}  // namespace
}  // namespace attendant
