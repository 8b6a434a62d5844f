#include "engine/decoding/greedy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/decoding/random_options.h"
#include "tests/engine/decoding/reference_search.h"
#include "tests/engine/decoding/toy_model.h"

namespace attendant {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

DecodingOptions Greedy() {
  DecodingOptions options;
  options.start_token = 1;
  options.end_tokens = {0};
  options.max_length = 12;
  return options;
}

// Always the same logits.
ToyLogits Constant(std::vector<float> logits) {
  return [logits](absl::Span<const int32_t>) { return logits; };
}

TEST(GreedyTest, AgreesWithPlainReferenceOverRandomOptions) {
  int ended = 0;
  for (uint32_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    DecodingOptions options = RandomOptions(seed);
    options.beam_size = options.num_hypotheses = 1;
    const HashModel model{seed, 40, 0, static_cast<float>(seed % 9)};
    const ReferenceResult want = ReferenceGreedy(options, model);
    const auto got = Decode(options, 40, model);
    ASSERT_THAT(got, SizeIs(1));
    const size_t prefix = options.target_prefix.size();
    std::vector<int32_t> tokens(got[0].tokens.begin() + static_cast<ptrdiff_t>(prefix), got[0].tokens.end());
    if (got[0].finish_reason == FinishReason::kEndToken) tokens.push_back(want.tokens.back());
    ended += got[0].finish_reason == FinishReason::kEndToken;
    ASSERT_EQ(tokens, want.tokens);
    ASSERT_NEAR(got[0].score, want.score, 1e-5);
    for (size_t i = 0; i < tokens.size(); ++i) {
      ASSERT_NEAR(got[0].token_log_probs[prefix + i], want.log_probs[i], 4e-6) << "token " << i;
    }
  }
  EXPECT_GT(ended, 200);
}

TEST(GreedyTest, BannedTokenLeavesTheNormaliserHoweverLikelyItWas) {
  // The banned token 2 has all but e^-gap of the probability; 3 and 4 share the rest evenly.
  for (const float gap : {-3.f, 0.f, 0.6f, 0.8f, 5.f, 12.f, 20.f, 60.f, 1000.f}) {
    DecodingOptions options = Greedy();
    options.max_length = 1;
    options.force_end_at_max_length = false;
    options.suppress_sequences = {{2}};
    const auto got = Decode(options, 5, Constant({-INFINITY, -INFINITY, gap, 0, 0}));
    EXPECT_THAT(got[0].tokens, ElementsAre(3)) << gap;
    EXPECT_NEAR(got[0].token_log_probs[0], std::log(0.5), 2e-6) << gap;
  }
}

TEST(GreedyTest, EqualLogitsTakeTheLowestTokenAlsoAmongHeldOut) {
  DecodingOptions options = Greedy();
  options.max_length = 2;
  options.force_end_at_max_length = false;
  options.repetition_penalty = 2;  // Holds out the start token 1, then 2.
  const auto got = Decode(options, 5, Constant({-9, 4, 2, 2, 2}));
  EXPECT_THAT(got[0].tokens, ElementsAre(1, 1));  // 4 / 2 == 2, and 1 < 2.
}

TEST(GreedyTest, RepetitionPenaltyMultipliesNegativeLogitsAndDividesPositive) {
  DecodingOptions options = Greedy();
  options.max_length = 2;
  options.force_end_at_max_length = false;
  options.repetition_penalty = 2;
  EXPECT_THAT(Decode(options, 4, Constant({-9, -9, -1, -1.9f}))[0].tokens, ElementsAre(2, 3));
  EXPECT_THAT(Decode(options, 4, Constant({-9, -9, -1, -2.1f}))[0].tokens, ElementsAre(2, 2));
  EXPECT_THAT(Decode(options, 4, Constant({-9, -9, 2, 1.1f}))[0].tokens, ElementsAre(2, 3));
  EXPECT_THAT(Decode(options, 4, Constant({-9, -9, 2, 0.9f}))[0].tokens, ElementsAre(2, 2));
}

TEST(GreedyTest, PrefixKeepsTheModelsLogProbsOutsideTheScore) {
  DecodingOptions options = Greedy();
  options.target_prefix = {3, 2};
  options.max_length = 3;
  const auto got = Decode(options, 4, Constant({0, 0, 1, 2}));
  EXPECT_THAT(got[0].tokens, ElementsAre(3, 2));
  const float log_sum_exp = LogSumExp({0, 0, 1, 2});
  EXPECT_THAT(got[0].token_log_probs, ElementsAre(2 - log_sum_exp, 1 - log_sum_exp, 0));
  EXPECT_EQ(got[0].score, 0);  // The forced end.
}

TEST(GreedyTest, MaxLengthWithoutForcedEndSaysSo) {
  DecodingOptions options = Greedy();
  options.force_end_at_max_length = false;
  for (const int32_t max_length : {1, 2, 11}) {
    options.max_length = max_length;
    const auto got = Decode(options, 4, Constant({0, 0, 1, 2}));
    EXPECT_THAT(got[0].tokens, SizeIs(static_cast<size_t>(max_length)));
    EXPECT_EQ(got[0].finish_reason, FinishReason::kMaxLength);
    EXPECT_EQ(got[0].token_log_probs.size(), got[0].tokens.size());
  }
}

TEST(GreedyTest, MinLengthIsTheNumberOfTokensBeforeTheEnd) {
  for (const int32_t min_length : {0, 1, 2, 11, 12}) {
    DecodingOptions options = Greedy();
    options.min_length = min_length;
    const auto got = Decode(options, 4, Constant({9, 0, 1, 2}));
    EXPECT_THAT(got[0].tokens, SizeIs(static_cast<size_t>(std::min(min_length, 11)))) << min_length;
    EXPECT_EQ(got[0].finish_reason, FinishReason::kEndToken);  // At 12 the forced end beats min_length.
  }
}

TEST(GreedyTest, RowWithoutAnyAllowedTokenEnds) {
  DecodingOptions options = Greedy();
  options.no_repeat_ngram_size = 1;
  options.min_length = 11;
  const auto got = Decode(options, 4, Constant({9, 0, 1, 2}));
  EXPECT_THAT(got[0].tokens, ElementsAre(3, 2));
  EXPECT_EQ(got[0].finish_reason, FinishReason::kEndToken);
}

TEST(GreedyTest, LoopIsCutAtTheGuardsWindow) {
  DecodingOptions options = Greedy();
  options.repetition_guard_tokens = 16;
  options.force_end_at_max_length = false;
  const auto loop = Constant({0, 0, 1, 2});
  options.max_length = 15;
  EXPECT_EQ(Decode(options, 4, loop)[0].finish_reason, FinishReason::kMaxLength);
  for (const int32_t max_length : {16, 17}) {
    options.max_length = max_length;
    const ToyRun run = RunSearch(options, 4, loop);
    EXPECT_EQ(run.rows_per_step.size(), 16u);
    EXPECT_EQ(run.hypotheses[0].finish_reason, FinishReason::kRepetition);
    EXPECT_THAT(run.hypotheses[0].tokens, ElementsAre(3));
    EXPECT_FLOAT_EQ(run.hypotheses[0].score, 2 - LogSumExp({0, 0, 1, 2}));
  }
}

TEST(GreedyTest, LoopInThePrefixIsTheCallersOwn) {
  DecodingOptions options = Greedy();
  options.repetition_guard_tokens = 16;
  options.max_length = 100;
  options.target_prefix.assign(40, 3);
  const auto got = Decode(options, 4, Constant({0, 0, 1, 2}));
  EXPECT_EQ(got[0].finish_reason, FinishReason::kRepetition);
  EXPECT_EQ(got[0].tokens, std::vector<int32_t>(41, 3));
}

TEST(GreedyTest, CertainTokensOnlyGrowAndBeginTheAnswer) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    DecodingOptions options = Greedy();
    options.repetition_guard_tokens = 16;
    options.max_length = 60;
    if (seed % 3 == 0) options.target_prefix = {3, 3, 2};
    // Ever the same after a while, so that many runs loop.
    const HashModel hash{seed, 5, 0, -6};
    const ToyRun run = RunSearch(options, 5, [&](absl::Span<const int32_t> fed) {
      return hash(fed.subspan(fed.size() > 20 ? fed.size() - 1 - seed % 3 : 0));
    });
    const std::vector<int32_t>& answer = run.hypotheses[0].tokens;
    size_t last = 0;
    for (const std::vector<int32_t>& certain : run.certain_tokens) {
      ASSERT_GE(certain.size(), last);
      last = certain.size();
      ASSERT_LE(certain.size(), answer.size());
      ASSERT_TRUE(std::equal(certain.begin(), certain.end(), answer.begin()));
    }
    EXPECT_EQ(run.certain_tokens.back(), answer);
  }
}

TEST(GreedyTest, CertainTokensFollowAtOnceWhereNothingRepeats) {
  DecodingOptions options = Greedy();
  options.no_repeat_ngram_size = 1;
  const ToyRun run = RunSearch(options, 40, HashModel{2, 40, 0, -9});
  for (size_t i = 0; i + 1 < run.certain_tokens.size(); ++i)
    EXPECT_THAT(run.certain_tokens[i], SizeIs(i + 1));
}

}  // namespace
}  // namespace attendant
