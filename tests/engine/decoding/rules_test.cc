#include "engine/decoding/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace attendant {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DecodingOptions Options() {
  DecodingOptions options;
  options.start_token = 1;
  options.end_tokens = {0};
  options.max_length = 10;
  return options;
}

RowConstraint Constrain(const DecodingOptions& options, std::vector<int32_t> history) {
  RowConstraint constraint;
  Rules(options).Constrain(history, constraint);
  return constraint;
}

std::vector<int32_t> Banned(const DecodingOptions& options, std::vector<int32_t> history) {
  const RowConstraint constraint = Constrain(options, std::move(history));
  std::vector<int32_t> banned;
  for (size_t i = 0; i < constraint.held_out().size(); ++i) {
    if (constraint.banned(i)) banned.push_back(constraint.held_out()[i]);
  }
  return banned;
}

TEST(RulesTest, NothingIsHeldOutWithoutRules) {
  EXPECT_THAT(Constrain(Options(), {1, 5, 5, 5}).held_out(), IsEmpty());
}

TEST(RulesTest, RepetitionPenaltyHoldsOutHistoryOnceInOrder) {
  DecodingOptions options = Options();
  options.repetition_penalty = 1.5f;
  const RowConstraint constraint = Constrain(options, {1, 9, 5, 9, 5});
  EXPECT_THAT(constraint.held_out(), ElementsAre(1, 5, 9));
  EXPECT_THAT(Banned(options, {1, 9, 5, 9, 5}), IsEmpty());
  const Rules rules(options);
  EXPECT_FLOAT_EQ(rules.Penalised(3), 2);
  EXPECT_FLOAT_EQ(rules.Penalised(-2), -3);
  EXPECT_FLOAT_EQ(rules.Penalised(0), 0);
}

TEST(RulesTest, ABanBeatsAPenalty) {
  DecodingOptions options = Options();
  options.repetition_penalty = 1.5f;
  options.suppress_sequences = {{5}};
  EXPECT_THAT(Constrain(options, {1, 5}).held_out(), ElementsAre(1, 5));
  EXPECT_THAT(Banned(options, {1, 5}), ElementsAre(5));
}

TEST(RulesTest, NoRepeatNgramBansWhatWouldCompleteASecondOne) {
  DecodingOptions options = Options();
  options.no_repeat_ngram_size = 3;
  EXPECT_THAT(Banned(options, {1, 5}), IsEmpty());
  EXPECT_THAT(Banned(options, {1, 5, 6, 7, 5, 6}), ElementsAre(7));
  EXPECT_THAT(Banned(options, {1, 5, 6, 7, 5, 6, 8, 5, 6}), ElementsAre(7, 8));
  EXPECT_THAT(Banned(options, {1, 5, 1, 5}), ElementsAre(1));  // The start token counts.
  options.no_repeat_ngram_size = 1;
  EXPECT_THAT(Banned(options, {1, 6, 5}), ElementsAre(1, 5, 6));
}

TEST(RulesTest, SuppressSequencesBanTheLastTokenAfterTheOthers) {
  DecodingOptions options = Options();
  options.suppress_sequences = {{4}, {5, 6}, {7, 8, 9}, {0}, {7, 0}};
  EXPECT_THAT(Banned(options, {1}), ElementsAre(4));  // Not the end token alone.
  EXPECT_THAT(Banned(options, {1, 5}), ElementsAre(4, 6));
  EXPECT_THAT(Banned(options, {1, 7, 8}), ElementsAre(4, 9));
  EXPECT_THAT(Banned(options, {1, 7}), ElementsAre(0, 4));
  EXPECT_THAT(Banned(options, {7, 8}),
              ElementsAre(4));  // Shorter than the sequence: `transformers` lets it pass.
}

TEST(RulesTest, MinLengthBansEndTokensUpToIt) {
  DecodingOptions options = Options();
  options.end_tokens = {3, 0};
  options.min_length = 2;
  EXPECT_THAT(Banned(options, {1}), ElementsAre(0, 3));
  EXPECT_THAT(Banned(options, {1, 5}), ElementsAre(0, 3));
  EXPECT_THAT(Banned(options, {1, 5, 5}), IsEmpty());
}

TEST(RulesTest, DisableUnkNeedsAModelThatHasOne) {
  DecodingOptions options = Options();
  options.disable_unk = true;
  EXPECT_THAT(Banned(options, {1}), IsEmpty());
  options.unk_token = 3;
  EXPECT_THAT(Banned(options, {1}), ElementsAre(3));
  options.disable_unk = false;
  EXPECT_THAT(Banned(options, {1}), IsEmpty());
}

TEST(RulesTest, ForcedEndBeatsAllOtherRulesAtMaxLengthOnly) {
  DecodingOptions options = Options();
  options.max_length = 3;
  options.min_length = 3;
  options.end_tokens = {3, 0};
  EXPECT_EQ(Constrain(options, {1, 5}).force(), RowConstraint::Force::kNone);
  const RowConstraint constraint = Constrain(options, {1, 5, 5});
  EXPECT_EQ(constraint.force(), RowConstraint::Force::kEnd);
  EXPECT_THAT(constraint.held_out(), ElementsAre(3));
  options.force_end_at_max_length = false;
  EXPECT_EQ(Constrain(options, {1, 5, 5}).force(), RowConstraint::Force::kNone);
}

TEST(RulesTest, PrefixIsForcedWhateverIsBanned) {
  DecodingOptions options = Options();
  options.target_prefix = {7, 8};
  options.suppress_sequences = {{7}, {8}};
  EXPECT_THAT(Constrain(options, {1}).held_out(), ElementsAre(7));
  EXPECT_EQ(Constrain(options, {1}).force(), RowConstraint::Force::kPrefix);
  EXPECT_THAT(Constrain(options, {1, 7}).held_out(), ElementsAre(8));
  EXPECT_EQ(Constrain(options, {1, 7, 8}).force(), RowConstraint::Force::kNone);
  EXPECT_THAT(Banned(options, {1, 7, 8}), ElementsAre(7, 8));
}

}  // namespace
}  // namespace attendant
