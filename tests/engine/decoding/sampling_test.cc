#include "engine/decoding/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/engine/decoding/toy_model.h"

namespace attendant {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

DecodingOptions Sampling(uint64_t seed) {
  DecodingOptions options;
  options.start_token = 1;
  options.end_tokens = {0};
  options.max_length = 1;
  options.force_end_at_max_length = false;
  options.sample = true;
  options.seed = seed;
  return options;
}

// How often each token comes first in `draws` seeds.
std::map<int32_t, int> Histogram(DecodingOptions options, const std::vector<float>& logits, int draws) {
  std::map<int32_t, int> histogram;
  for (int seed = 0; seed < draws; ++seed) {
    options.seed = static_cast<uint64_t>(seed);
    const auto got = Decode(options, static_cast<int32_t>(logits.size()), [&](auto) { return logits; });
    ++histogram[got[0].tokens.empty() ? 0 : got[0].tokens[0]];
  }
  return histogram;
}

std::vector<float> Logs(std::vector<float> probabilities) {
  for (float& p : probabilities) p = std::log(p);
  return probabilities;
}

TEST(UniformAtTest, IsUniformAndDependsOnEachArgument) {
  double sum = 0;
  std::set<double> values;
  for (int32_t i = 0; i < 1000; ++i) {
    for (const double u :
         {UniformAt(static_cast<uint64_t>(i), {0, 0}), UniformAt(0, {i + 1, 0}), UniformAt(0, {0, i + 1})}) {
      ASSERT_GE(u, 0);
      ASSERT_LT(u, 1);
      sum += u;
      values.insert(u);
    }
  }
  EXPECT_EQ(values.size(), 3000u);
  EXPECT_NEAR(sum / 3000, 0.5, 5 * std::sqrt(1.0 / 12 / 3000));
}

TEST(SamplingTest, DrawsInProportionToTheSoftmaxAtTemperature) {
  const int draws = 4000;
  for (const float temperature : {0.5f, 1.f, 2.f}) {
    DecodingOptions options = Sampling(0);
    options.temperature = temperature;
    const std::vector<float> p = {.4f, .1f, .2f, .3f};
    double total = 0;
    for (const float value : p) total += std::pow(value, 1 / temperature);
    auto histogram = Histogram(options, Logs(p), draws);
    for (int32_t token = 0; token < 4; ++token) {
      const double want = std::pow(p[static_cast<size_t>(token)], 1 / temperature) / total;
      EXPECT_NEAR(histogram[token] / double{draws}, want, 5 * std::sqrt(want * (1 - want) / draws)) << token;
    }
  }
}

TEST(SamplingTest, TopKKeepsTheBestAndTheirTies) {
  DecodingOptions options = Sampling(0);
  const auto logits = Logs({.1f, .4f, .2f, .2f, .1f});
  options.top_k = 1;
  EXPECT_THAT(Histogram(options, logits, 200), SizeIs(1));
  options.top_k = 2;
  EXPECT_THAT(Histogram(options, logits, 200), SizeIs(3));
  options.top_k = 4;
  EXPECT_THAT(Histogram(options, logits, 200), SizeIs(5));
  options.top_k = 50;
  EXPECT_THAT(Histogram(options, logits, 200), SizeIs(5));
}

TEST(SamplingTest, TopPKeepsTheFewestThatReachIt) {
  DecodingOptions options = Sampling(0);
  const auto logits = Logs({.1f, .5f, .3f, .06f, .04f});
  const auto kept = [&](float top_p) {
    options.top_p = top_p;
    return Histogram(options, logits, 400).size();
  };
  EXPECT_EQ(kept(0.001f), 1u);
  EXPECT_EQ(kept(0.49f), 1u);
  EXPECT_EQ(kept(0.51f), 2u);
  EXPECT_EQ(kept(0.79f), 2u);
  EXPECT_EQ(kept(0.81f), 3u);
  EXPECT_EQ(kept(1), 5u);
}

TEST(SamplingTest, TemperatureComesBeforeTopP) {
  DecodingOptions options = Sampling(0);
  options.top_p = 0.6f;
  options.temperature = 0.25f;  // Makes .5 : .3 into 7.7 : 1.
  EXPECT_THAT(Histogram(options, Logs({.1f, .5f, .3f, .1f}), 200), SizeIs(1));
}

TEST(SamplingTest, RulesHoldAndLogProbIsTheModelsGivenTheRules) {
  DecodingOptions options = Sampling(0);
  options.suppress_sequences = {{2}};
  options.temperature = 0.7f;
  options.top_k = 2;
  const auto logits = Logs({.1f, .1f, .6f, .2f});
  EXPECT_EQ(Histogram(options, logits, 300).count(2), 0u);
  const auto got = Decode(options, 4, [&](auto) { return logits; });
  const double p = got[0].tokens.empty() || got[0].tokens[0] == 1 ? .1 : .2;
  EXPECT_NEAR(got[0].token_log_probs[0], std::log(p / .4), 2e-6);
}

TEST(SamplingTest, SameSeedGivesTheSameAnswerAndOthersOthers) {
  DecodingOptions options = Sampling(7);
  options.max_length = 20;
  const HashModel model{1, 40, 0, 0};
  const auto first = Decode(options, 40, model);
  EXPECT_EQ(Decode(options, 40, model)[0].tokens, first[0].tokens);
  options.seed = 8;
  EXPECT_NE(Decode(options, 40, model)[0].tokens, first[0].tokens);
}

TEST(SamplingTest, SamplesAreIndependentRowsThatNumberOneAtFirst) {
  DecodingOptions options = Sampling(7);
  options.max_length = 20;
  options.target_prefix = {5, 6};
  options.num_hypotheses = 6;
  const HashModel model{1, 40, 0, 2};
  const ToyRun run = RunSearch(options, 40, model);
  EXPECT_EQ(run.rows_per_step[0], 1);
  EXPECT_EQ(run.rows_per_step[1], 1);
  EXPECT_EQ(run.rows_per_step[2], 1);
  EXPECT_GE(run.rows_per_step[3], 4);
  ASSERT_THAT(run.hypotheses, SizeIs(6));
  std::set<std::vector<int32_t>> answers;
  for (size_t i = 0; i < 6; ++i) {
    answers.insert(run.hypotheses[i].tokens);
    EXPECT_LE(run.hypotheses[i].score, run.hypotheses[i == 0 ? 0 : i - 1].score);
  }
  EXPECT_THAT(answers, SizeIs(6));
  options.num_hypotheses = 1;  // Sample 0 is what it is, however many there are beside it.
  EXPECT_EQ(answers.count(Decode(options, 40, model)[0].tokens), 1u);
}

TEST(SamplingTest, RowWithoutAnyAllowedTokenEnds) {
  DecodingOptions options = Sampling(7);
  options.max_length = 20;
  options.no_repeat_ngram_size = 1;
  options.min_length = 19;
  const auto got = Decode(options, 4, HashModel{1, 4, 0, 0});
  EXPECT_THAT(got[0].tokens, SizeIs(2));
  EXPECT_EQ(got[0].finish_reason, FinishReason::kEndToken);
}

}  // namespace
}  // namespace attendant
