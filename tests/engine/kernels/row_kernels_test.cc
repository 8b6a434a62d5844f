#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "engine/kernels/layer_norm.h"
#include "engine/kernels/vocab_scan.h"

namespace attendant {
namespace {

constexpr size_t kMaxLength = 2 * 16 + 1;  // Twice the widest vector, and one.

std::vector<float> RandomValues(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(1.0f, 3.0f);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

TEST(LayerNormTest, AgreesWithPlainSumsForEveryLengthAndAlignment) {
  for (size_t dim = 1; dim <= kMaxLength; ++dim) {
    for (const size_t shift : {size_t{0}, size_t{1}, size_t{3}}) {
      const std::vector<float> scale = RandomValues(dim, 1), offset = RandomValues(dim, 2);
      const std::vector<float> before = RandomValues(2 * dim + shift, 3);
      std::vector<float> rows = before;
      LayerNorm({scale.data(), offset.data(), dim}, rows.data() + shift, 2);
      for (size_t r = 0; r < 2; ++r) {
        const float* row = before.data() + shift + r * dim;
        double mean = 0, variance = 0;
        for (size_t i = 0; i < dim; ++i) mean += row[i] / static_cast<double>(dim);
        for (size_t i = 0; i < dim; ++i)
          variance += (row[i] - mean) * (row[i] - mean) / static_cast<double>(dim);
        for (size_t i = 0; i < dim; ++i) {
          const double exact = (row[i] - mean) / std::sqrt(variance + 1e-5) * scale[i] + offset[i];
          // Values of order 10, a handful of roundings, amplified where the variance is small (dim 1: by
          // 1/sqrt(1e-5)).
          EXPECT_NEAR(rows[shift + r * dim + i], exact, 2e-4) << "dim " << dim << " row " << r << " at " << i;
        }
      }
    }
  }
}

TEST(RunningLogSumExpTest, AgreesWithPlainSumForEveryLengthAndTiling) {
  for (size_t length = 1; length <= kMaxLength; ++length) {
    const std::vector<float> values = RandomValues(length, static_cast<uint32_t>(length));
    double sum = 0;
    for (const float value : values) sum += std::exp(double{value});
    for (size_t tile = 1; tile <= length; ++tile) {
      RunningLogSumExp running;
      for (size_t i = 0; i < length; i += tile) running.Add(absl::MakeSpan(values).subspan(i, tile));
      EXPECT_NEAR(running.Value(), std::log(sum), 2e-6 * std::max(1.0, std::log(sum)))
          << length << " by " << tile;
    }
  }
}

TEST(RunningLogSumExpTest, BigAndSmallLogitsNeitherOverflowNorVanish) {
  RunningLogSumExp running;
  running.Add({1000.0f, -1000.0f});
  running.Add({1000.0f});
  EXPECT_NEAR(running.Value(), 1000.0 + std::log(2.0), 1e-4);
}

TEST(RunningLogSumExpTest, WhatDoesNotCountAddsNothing) {
  RunningLogSumExp running;
  const std::vector<float> nothing(50, kNoLogit);
  running.Add(nothing);
  EXPECT_EQ(running.Value(), -std::numeric_limits<float>::infinity());
  std::vector<float> one = nothing;
  one[33] = 3.0f;
  running.Add(one);
  running.Add(nothing);
  EXPECT_EQ(running.Value(), 3.0f);
}

TEST(RunningLogSumExpTest, NanAndInfinityShow) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (size_t at = 0; at < 40; ++at) {
      std::vector<float> values(40, 1.0f);
      values[at] = bad;
      RunningLogSumExp running;
      running.Add(values);
      EXPECT_FALSE(std::isfinite(running.Value())) << bad << " at " << at;
    }
  }
}

TEST(RunningTopKTest, AgreesWithSortingForEveryKAndTiling) {
  const std::vector<float> values = RandomValues(100, 5);
  std::vector<TokenScore> sorted;
  for (size_t i = 0; i < values.size(); ++i) sorted.push_back({static_cast<int32_t>(i), values[i]});
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](TokenScore a, TokenScore b) { return a.score > b.score; });
  for (const size_t k : {size_t{0}, size_t{1}, size_t{7}, size_t{99}, size_t{100}}) {
    for (const size_t tile : {size_t{1}, size_t{16}, size_t{33}, size_t{100}}) {
      std::vector<TokenScore> storage(k);
      RunningTopK top(absl::MakeSpan(storage));
      for (size_t i = 0; i < values.size(); i += tile) {
        top.Add(absl::MakeSpan(values).subspan(i, tile), static_cast<int32_t>(i));
      }
      ASSERT_EQ(top.best().size(), k);
      for (size_t i = 0; i < k; ++i)
        EXPECT_EQ(top.best()[i].token, sorted[i].token) << "k " << k << " tile " << tile;
    }
  }
}

TEST(RunningTopKTest, TiesGoToTheEarlierTokenAndMinusInfinityNeverEnters) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {-inf, 2, 5, 2, 5, -inf, 2};
  std::vector<TokenScore> storage(6);
  RunningTopK top(absl::MakeSpan(storage));
  top.Add(values, 10);
  std::vector<int32_t> tokens;
  for (const TokenScore& best : top.best()) tokens.push_back(best.token);
  EXPECT_EQ(tokens, (std::vector<int32_t>{12, 14, 11, 13, 16}));
}

}  // namespace
}  // namespace attendant
