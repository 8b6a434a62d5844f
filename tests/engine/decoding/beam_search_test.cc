#include "engine/decoding/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/engine/decoding/random_options.h"
#include "tests/engine/decoding/reference_search.h"
#include "tests/engine/decoding/toy_model.h"

namespace attendant {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<int32_t> WithEnd(const Hypothesis& hypothesis, int32_t end_token, size_t skip) {
  std::vector<int32_t> tokens(hypothesis.tokens.begin() + static_cast<ptrdiff_t>(skip),
                              hypothesis.tokens.end());
  if (hypothesis.finish_reason == FinishReason::kEndToken) tokens.push_back(end_token);
  return tokens;
}

DecodingOptions Beams(int32_t beam_size) {
  DecodingOptions options;
  options.beam_size = beam_size;
  options.num_hypotheses = beam_size;
  options.start_token = 1;
  options.end_tokens = {0};
  options.max_length = 12;
  return options;
}

// A model that knows the last token only: rows[last token][next token], in log p.
ToyLogits Chain(std::vector<std::vector<float>> probabilities) {
  return [probabilities](absl::Span<const int32_t> fed) {
    std::vector<float> logits;
    for (const float p : probabilities[static_cast<size_t>(fed.back())]) logits.push_back(std::log(p));
    return logits;
  };
}

TEST(BeamSearchTest, AgreesWithPlainReferenceOverRandomOptions) {
  int ended = 0;
  int cut = 0;
  for (uint32_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    const DecodingOptions options = RandomOptions(seed);
    const HashModel model{seed, 40 + static_cast<int32_t>(seed % 20), 0, static_cast<float>(seed % 7) - 1};
    const auto want = ReferenceBeamSearch(options, model);
    const auto got = Decode(options, model.vocab_size, model);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      const size_t prefix = options.target_prefix.size();
      ended += got[i].finish_reason == FinishReason::kEndToken;
      cut += got[i].finish_reason == FinishReason::kMaxLength;
      ASSERT_EQ(WithEnd(got[i], want[i].tokens.back(), prefix), want[i].tokens) << "hypothesis " << i;
      ASSERT_EQ(got[i].score, want[i].score);  // The same f32 operations in the same order.
      ASSERT_EQ(std::vector<float>(got[i].token_log_probs.begin() + static_cast<ptrdiff_t>(prefix),
                                   got[i].token_log_probs.end()),
                want[i].log_probs);
    }
  }
  EXPECT_GT(ended, 500);
  EXPECT_GT(cut, 100);
}

TEST(BeamSearchTest, LogProbsAreThoseOfTheHypothesisOwnPath) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const HashModel model{seed, 30, 0, 1};
    for (const Hypothesis& hypothesis : Decode(Beams(6), 30, model)) {
      std::vector<int32_t> fed = {1};
      const std::vector<int32_t> tokens = WithEnd(hypothesis, 0, 0);
      ASSERT_EQ(hypothesis.token_log_probs.size(), tokens.size());
      float sum = 0;
      for (size_t i = 0; i < tokens.size(); ++i) {
        const std::vector<float> logits = model(fed);
        const bool forced = i + 1 == 12;
        const float want = forced ? 0 : logits[static_cast<size_t>(tokens[i])] - LogSumExp(logits);
        ASSERT_EQ(hypothesis.token_log_probs[i], want);
        fed.push_back(tokens[i]);
        sum += want;
      }
      ASSERT_EQ(hypothesis.sum_log_probs, sum);
      ASSERT_FLOAT_EQ(hypothesis.score, sum / static_cast<float>(tokens.size()));
    }
  }
}

TEST(BeamSearchTest, FirstStepIsOneRowAndLaterOnesAreBeams) {
  const ToyRun run = RunSearch(Beams(5), 40, HashModel{3, 40, 0, -20});
  ASSERT_THAT(run.rows_per_step, SizeIs(12));
  EXPECT_EQ(run.rows_per_step[0], 1);
  EXPECT_THAT(std::vector<int>(run.rows_per_step.begin() + 1, run.rows_per_step.end()), Each(5));
}

TEST(BeamSearchTest, PrefixTakesOneRowAndCountsNeitherForScoreNorLength) {
  DecodingOptions options = Beams(3);
  options.target_prefix = {5, 6, 7};
  const HashModel model{8, 40, 0, 2};
  const ToyRun run = RunSearch(options, 40, model);
  EXPECT_THAT(std::vector<int>(run.rows_per_step.begin(), run.rows_per_step.begin() + 4),
              ElementsAre(1, 1, 1, 1));
  const Hypothesis& best = run.hypotheses[0];
  ASSERT_GT(best.tokens.size(), 3u);
  EXPECT_THAT(std::vector<int32_t>(best.tokens.begin(), best.tokens.begin() + 3), ElementsAre(5, 6, 7));
  const std::vector<float> first = model(std::vector<int32_t>{1});
  EXPECT_EQ(best.token_log_probs[0], first[5] - LogSumExp(first));
  const float sum = std::accumulate(best.token_log_probs.begin() + 3, best.token_log_probs.end(), 0.f);
  EXPECT_EQ(best.sum_log_probs, sum);
  EXPECT_FLOAT_EQ(best.score, sum / static_cast<float>(best.token_log_probs.size() - 3));
}

TEST(BeamSearchTest, EqualScoresTakeTheLowerBeamThenTheLowerToken) {
  DecodingOptions options = Beams(3);
  options.max_length = 2;
  options.force_end_at_max_length = false;
  options.min_length = 2;
  const auto uniform = [](absl::Span<const int32_t>) { return std::vector<float>(5, 0.25f); };
  const auto got = Decode(options, 5, uniform);
  ASSERT_THAT(got, SizeIs(3));
  EXPECT_THAT(got[0].tokens, ElementsAre(1, 1));
  EXPECT_THAT(got[1].tokens, ElementsAre(1, 2));
  EXPECT_THAT(got[2].tokens, ElementsAre(1, 3));
}

TEST(BeamSearchTest, PatienceStopsAtRoundedBeamSizeTimesPatience) {
  // Each step ends one hypothesis: of tokens {end, a, b}, end is always among the best two.
  const auto model =
      Chain({{1, 1, 1, 1}, {.4f, 1e-9f, .35f, .25f}, {.4f, 1e-9f, .35f, .25f}, {.4f, 1e-9f, .35f, .25f}});
  const auto steps = [&](float patience) {
    DecodingOptions options = Beams(2);
    options.num_hypotheses = 1;
    options.patience = patience;
    options.max_length = 30;
    return RunSearch(options, 4, model).rows_per_step.size();
  };
  EXPECT_LT(steps(0.5f), steps(1));
  EXPECT_LT(steps(1), steps(2));
  EXPECT_LT(steps(2), steps(4));
  EXPECT_EQ(steps(1.2f), steps(1));      // round(2.4) == 2.
  EXPECT_EQ(steps(1.25f), steps(1.5f));  // round(2.5) == 3.
}

TEST(BeamSearchTest, PatienceKeepsMoreThanBeamSizeToChooseFrom) {
  bool differs = false;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    DecodingOptions options = Beams(2);
    const HashModel model{seed, 40, 0, 3};
    options.patience = 1;
    const auto once = Decode(options, 40, model);
    options.patience = 4;
    const auto four = Decode(options, 40, model);
    EXPECT_GE(four[0].score, once[0].score);  // The first two found are among the first eight.
    EXPECT_GE(four[1].score, once[1].score);
    differs = differs || four[0].score > once[0].score;
  }
  EXPECT_TRUE(differs);
}

float Coverage(const Hypothesis& hypothesis) {
  float penalty = 0;
  for (size_t source = 0; source < 3; ++source) {
    float covered = 0;
    for (const std::vector<float>& row : hypothesis.attention) covered += row[source];
    if (covered > 0) penalty += std::log(std::min(covered, 1.f));
  }
  return penalty;
}

TEST(BeamSearchTest, CoveragePenaltyRanksWhatTheSearchFound) {
  bool reordered = false;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    DecodingOptions options = Beams(5);
    options.return_attention = true;
    const HashModel model{seed, 40, 0, 3};
    const auto plain = Decode(options, 40, model);
    options.coverage_penalty = 0.8f;
    const auto covered = Decode(options, 40, model);
    ASSERT_EQ(covered.size(), plain.size());
    for (size_t i = 0; i < covered.size(); ++i) {
      const float sum_score =
          covered[i].sum_log_probs / static_cast<float>(covered[i].token_log_probs.size());
      EXPECT_FLOAT_EQ(covered[i].score, sum_score + 0.8f * Coverage(covered[i]));
      EXPECT_LE(covered[i].score, covered[i == 0 ? 0 : i - 1].score);
    }
    reordered = reordered || covered[0].tokens != plain[0].tokens;
  }
  EXPECT_TRUE(reordered);
}

TEST(BeamSearchTest, AttentionIsThatOfTheHypothesisOwnPath) {
  DecodingOptions options = Beams(4);
  options.return_attention = true;
  for (const Hypothesis& hypothesis : Decode(options, 40, HashModel{5, 40, 0, 1})) {
    std::vector<int32_t> fed = {1};
    ASSERT_EQ(hypothesis.attention.size(), hypothesis.tokens.size());
    for (size_t i = 0; i < hypothesis.tokens.size(); ++i) {
      EXPECT_EQ(hypothesis.attention[i], ToyAttention(fed));
      fed.push_back(hypothesis.tokens[i]);
    }
  }
  options.return_attention = false;
  EXPECT_THAT(Decode(options, 40, HashModel{5, 40, 0, 1})[0].attention, SizeIs(0));
}

TEST(BeamSearchTest, LoopingBeamEndsByTheGuardAndRanksBehindProperEnds) {
  // From 2, 2 again is nearly certain; 3 leads to the end.
  const auto model =
      Chain({{1, 1, 1, 1}, {.01f, .01f, .9f, .08f}, {.001f, .001f, .997f, .001f}, {.9f, .04f, .03f, .03f}});
  DecodingOptions options = Beams(2);
  options.max_length = 100;
  options.repetition_guard_tokens = 16;
  const auto got = Decode(options, 4, model);
  ASSERT_THAT(got, SizeIs(2));
  EXPECT_EQ(got[0].finish_reason, FinishReason::kEndToken);
  options.num_hypotheses = 1;
  options.suppress_sequences = {{3}};
  options.min_length = 90;  // Nothing but the loop is left.
  const ToyRun looping = RunSearch(
      options, 4, Chain({{1, 1, 1, 1}, {.1f, .1f, .7f, .1f}, {1e-9f, 1e-9f, 1, 1e-9f}, {1, 1, 1, 1}}));
  EXPECT_LT(looping.rows_per_step.size(), 40u);  // The second beam left the loop once, and came back.
  EXPECT_EQ(looping.hypotheses[0].finish_reason, FinishReason::kRepetition);
  EXPECT_LE(looping.hypotheses[0].tokens.size(), 4u);
  EXPECT_EQ(looping.hypotheses[0].tokens.size(), looping.hypotheses[0].token_log_probs.size());
}

TEST(BeamSearchTest, VocabularySmallerThanTheBeamGivesAllThereIs) {
  DecodingOptions options = Beams(8);
  options.max_length = 2;
  const auto got = Decode(options, 3, HashModel{1, 3, 0, 0});
  // </s> at once, or one of the two others and </s>.
  ASSERT_THAT(got, SizeIs(3));
  for (const Hypothesis& hypothesis : got) EXPECT_EQ(hypothesis.finish_reason, FinishReason::kEndToken);
}

TEST(BeamSearchTest, RowsWithoutAnyAllowedTokenEnd) {
  DecodingOptions options = Beams(2);
  options.no_repeat_ngram_size = 1;
  options.min_length = 11;
  const auto got = Decode(options, 4, HashModel{1, 4, 0, 0});
  ASSERT_THAT(got, SizeIs(2));
  EXPECT_EQ(got[0].finish_reason, FinishReason::kEndToken);
  EXPECT_THAT(got[0].tokens, SizeIs(2));  // 2 and 3 in some order; 1 is the start token.
  EXPECT_EQ(got[0].token_log_probs.back(), 0);
}

TEST(BeamSearchTest, NothingIsCertainUntilAllIs) {
  const ToyRun run = RunSearch(Beams(3), 40, HashModel{4, 40, 0, 1});
  for (size_t i = 0; i + 1 < run.certain_tokens.size(); ++i) EXPECT_THAT(run.certain_tokens[i], SizeIs(0));
  EXPECT_EQ(run.certain_tokens.back(), run.hypotheses[0].tokens);
}

}  // namespace
}  // namespace attendant
