#include "tests/engine/decoding/toy_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace attendant {
namespace {

uint64_t Hash(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

uint64_t HashTokens(uint64_t seed, absl::Span<const int32_t> tokens) {
  uint64_t hash = Hash(seed + 1);
  for (const int32_t token : tokens) hash = Hash(hash * 31 + static_cast<uint64_t>(token) + 7);
  return hash;
}

// One row's answer, and the memory its spans point to.
struct Answer {
  std::vector<TokenScore> top;
  std::vector<float> held_out;
  std::vector<float> logits;
  std::vector<float> attention;
  RowAnswer spans;

  Answer(const RowQuery& query, absl::Span<const int32_t> fed, const ToyLogits& model) : logits(model(fed)) {
    EXPECT_TRUE(std::is_sorted(query.held_out.begin(), query.held_out.end()));
    EXPECT_EQ(std::adjacent_find(query.held_out.begin(), query.held_out.end()), query.held_out.end());
    EXPECT_LE(query.top_k, static_cast<int32_t>(logits.size()));
    for (const int32_t token : query.held_out) held_out.push_back(logits[static_cast<size_t>(token)]);
    for (int32_t token = 0; token < static_cast<int32_t>(logits.size()); ++token) {
      if (std::binary_search(query.held_out.begin(), query.held_out.end(), token)) continue;
      top.push_back({token, logits[static_cast<size_t>(token)]});
    }
    std::stable_sort(top.begin(), top.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    std::vector<float> rest;
    for (const TokenScore& other : top) rest.push_back(other.score);
    spans.log_sum_exp_rest = rest.empty() ? -INFINITY : LogSumExp(rest);
    top.resize(std::min(top.size(), static_cast<size_t>(query.top_k)));
    attention = ToyAttention(fed);
    spans.log_sum_exp = LogSumExp(logits);
    spans.top = top;
    spans.held_out = held_out;
    if (query.wants_all_logits) spans.all_logits = logits;
    if (query.wants_attention) spans.attention = attention;
  }
  Answer(const Answer&) = delete;
};

}  // namespace

std::vector<float> HashModel::operator()(absl::Span<const int32_t> fed) const {
  const uint64_t hash = HashTokens(seed, fed);
  std::vector<float> logits;
  for (int32_t token = 0; token < vocab_size; ++token) {
    float logit = 0;  // Irwin-Hall of four.
    for (uint64_t i = 0; i < 4; ++i) {
      logit += static_cast<float>(Hash(hash + static_cast<uint64_t>(token) * 4 + i) >> 40) * 0x1p-24f - 0.5f;
    }
    logits.push_back(logit * 3.5f + (token == end_token ? end_bias : 0));
  }
  return logits;
}

std::vector<float> ToyAttention(absl::Span<const int32_t> fed) {
  const uint64_t hash = HashTokens(99, fed);
  const float a = static_cast<float>(hash % 100) / 300;
  const float b = static_cast<float>(hash / 100 % 100) / 200;
  return {a, b, 1 - a - b};
}

float LogSumExp(absl::Span<const float> logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - max);
  return static_cast<float>(max + std::log(sum));
}

ToyRun RunSearch(const DecodingOptions& options, int32_t vocab_size, const ToyLogits& model) {
  ToyRun run;
  auto search = CreateSearch(options, vocab_size);
  EXPECT_TRUE(search.ok()) << search.status();
  if (!search.ok()) return run;
  std::vector<std::vector<int32_t>> fed(1);
  while (!(*search)->finished()) {
    run.rows_per_step.push_back((*search)->num_rows());
    EXPECT_EQ(fed.size(), static_cast<size_t>((*search)->num_rows()));
    std::vector<RowQuery> queries(fed.size());
    (*search)->Ask(absl::MakeSpan(queries));
    std::vector<std::unique_ptr<Answer>> answers;
    std::vector<RowAnswer> spans;
    for (size_t i = 0; i < fed.size(); ++i) {
      EXPECT_EQ(queries[i].position, static_cast<int32_t>(fed[i].size()));
      fed[i].push_back(queries[i].token);
      answers.push_back(std::make_unique<Answer>(queries[i], fed[i], model));
      spans.push_back(answers.back()->spans);
    }
    const absl::Span<const int32_t> parents = (*search)->Advance(spans);
    std::vector<std::vector<int32_t>> next;
    for (const int32_t parent : parents) next.push_back(fed.at(static_cast<size_t>(parent)));
    fed = std::move(next);
    const auto certain = (*search)->certain_tokens();
    run.certain_tokens.emplace_back(certain.begin(), certain.end());
  }
  EXPECT_TRUE(fed.empty());
  run.hypotheses = (*search)->TakeHypotheses();
  return run;
}

std::vector<Hypothesis> Decode(const DecodingOptions& options, int32_t vocab_size, const ToyLogits& model) {
  return RunSearch(options, vocab_size, model).hypotheses;
}

}  // namespace attendant
