#include "engine/kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace attendant {
namespace {

// Keys and values of `length` tokens, plain and as blocks whose unused slots hold NaN.
class Memory {
 public:
  Memory(HeadLayout layout, int length, uint32_t seed) : layout_(layout), length_(length) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    const size_t dim = static_cast<size_t>(layout.hidden_dim());
    keys_.resize(static_cast<size_t>(length) * dim);
    values_.resize(keys_.size());
    for (float& value : keys_) value = normal(generator);
    for (float& value : values_) value = normal(generator);
    const size_t num_blocks = static_cast<size_t>((length + kBlockTokens - 1) / kBlockTokens);
    storage_.assign(num_blocks,
                    std::vector<float>(layout.block_floats(), std::numeric_limits<float>::quiet_NaN()));
    for (int t = 0; t < length; ++t) {
      const size_t row = static_cast<size_t>(t) * dim;
      StoreKeyValue(layout, &keys_[row], &values_[row], t % kBlockTokens,
                    storage_[static_cast<size_t>(t / kBlockTokens)].data());
    }
    for (const std::vector<float>& block : storage_) blocks_.push_back(block.data());
  }

  absl::Span<const float* const> blocks() const { return blocks_; }

  // One head of one query, in double.
  std::vector<double> Exact(const float* query, int head, std::vector<double>& probabilities) const {
    const size_t head_dim = static_cast<size_t>(layout_.head_dim);
    const size_t dim = static_cast<size_t>(layout_.hidden_dim());
    const size_t column = static_cast<size_t>(head) * head_dim;
    probabilities.assign(static_cast<size_t>(length_), 0);
    double max = -1e30, sum = 0;
    for (size_t t = 0; t < probabilities.size(); ++t) {
      for (size_t d = 0; d < head_dim; ++d)
        probabilities[t] += double{query[column + d]} * keys_[t * dim + column + d];
      probabilities[t] /= std::sqrt(static_cast<double>(head_dim));
      max = std::max(max, probabilities[t]);
    }
    for (double& p : probabilities) sum += p = std::exp(p - max);
    std::vector<double> out(head_dim, 0);
    for (size_t t = 0; t < probabilities.size(); ++t) {
      probabilities[t] /= sum;
      for (size_t d = 0; d < head_dim; ++d) out[d] += probabilities[t] * values_[t * dim + column + d];
    }
    return out;
  }

 private:
  HeadLayout layout_;
  int length_;
  std::vector<float> keys_, values_;
  std::vector<std::vector<float>> storage_;
  std::vector<const float*> blocks_;
};

std::vector<float> RandomQueries(const HeadLayout& layout, int count) {
  std::mt19937 generator(9);
  std::normal_distribution<float> normal;
  std::vector<float> queries(static_cast<size_t>(count * layout.hidden_dim()));
  for (float& value : queries) value = normal(generator);
  return queries;
}

TEST(AttendTest, AgreesWithPlainAttentionForEveryLength) {
  for (const HeadLayout layout :
       {HeadLayout{1, 1}, HeadLayout{3, 18}, HeadLayout{12, 32}, HeadLayout{4, 64}, HeadLayout{2, 100}}) {
    for (int length = 1; length <= 2 * kBlockTokens + 1; ++length) {
      const Memory memory(layout, length, static_cast<uint32_t>(length));
      constexpr int kQueries = 6;  // One group of four and two alone.
      const std::vector<float> queries = RandomQueries(layout, kQueries);
      const size_t dim = static_cast<size_t>(layout.hidden_dim());
      std::vector<float> out(queries.size());
      std::vector<float> reported(static_cast<size_t>(kQueries * length));
      Workspace workspace;
      const AttentionInput input{layout, queries.data(), dim, kQueries, memory.blocks(), length};
      AttendAndReport(input, out.data(), dim, reported.data(), workspace);
      for (size_t q = 0; q < kQueries; ++q) {
        std::vector<double> mean(static_cast<size_t>(length), 0), probabilities;
        for (int head = 0; head < layout.num_heads; ++head) {
          const std::vector<double> exact = memory.Exact(&queries[q * dim], head, probabilities);
          for (size_t d = 0; d < exact.size(); ++d) {
            // Scores of order 4 with head_dim roundings, exp's own 1e-6, values of order 3.
            EXPECT_NEAR(out[q * dim + static_cast<size_t>(head * layout.head_dim) + d], exact[d], 2e-5)
                << "length " << length << " query " << q << " head " << head << " dim " << d;
          }
          for (size_t t = 0; t < mean.size(); ++t) mean[t] += probabilities[t] / layout.num_heads;
        }
        for (size_t t = 0; t < mean.size(); ++t) EXPECT_NEAR(reported[q * mean.size() + t], mean[t], 1e-5);
      }
    }
  }
}

TEST(AttendTest, QueryIsBitIdenticalAloneAndAmongOthers) {
  const HeadLayout layout{4, 64};
  const Memory memory(layout, 45, 1);
  const std::vector<float> queries = RandomQueries(layout, 9);
  const size_t dim = static_cast<size_t>(layout.hidden_dim());
  std::vector<float> together(queries.size()), alone(queries.size());
  Workspace workspace;
  Attend({layout, queries.data(), dim, 9, memory.blocks(), 45}, together.data(), dim, workspace);
  for (size_t q = 0; q < 9; ++q) {
    Attend({layout, &queries[q * dim], dim, 1, memory.blocks(), 45}, &alone[q * dim], dim, workspace);
  }
  EXPECT_EQ(std::memcmp(together.data(), alone.data(), alone.size() * sizeof(float)), 0);
}

// With the same bias for all distances nothing changes; with a very low one for all but the own position,
// each query sees its own value alone.
TEST(AttendTest, DistanceBiasIsOfKeyMinusQuery) {
  const HeadLayout layout{3, 8};
  constexpr int kLength = 21;
  constexpr int kFarthest = 30;  // Longer sequences may come than this one.
  const Memory memory(layout, kLength, 1);
  const std::vector<float> queries = RandomQueries(layout, kLength);
  const size_t dim = static_cast<size_t>(layout.hidden_dim());
  std::vector<float> plain(queries.size()), biased(queries.size());
  std::vector<float> map(static_cast<size_t>(kLength * kLength));
  Workspace workspace;
  AttentionInput input{layout, queries.data(), dim, kLength, memory.blocks(), kLength};
  Attend(input, plain.data(), dim, workspace);
  std::vector<float> bias(static_cast<size_t>(3 * (2 * kFarthest + 1)), 2.5f);
  input.distance_bias = bias;
  Attend(input, biased.data(), dim, workspace);
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(biased[i], plain[i], 1e-4) << i;

  const int shift = 2;  // The key two after the query.
  for (size_t i = 0; i < bias.size(); ++i) {
    bias[i] = static_cast<int>(i % (2 * kFarthest + 1)) == kFarthest + shift ? 0.0f : -1e4f;
  }
  AttendAndReport(input, biased.data(), dim, map.data(), workspace);
  for (int q = 0; q + shift < kLength; ++q) {
    for (int t = 0; t < kLength; ++t) {
      EXPECT_NEAR(map[static_cast<size_t>(q * kLength + t)], t == q + shift ? 1 : 0, 1e-5) << q << " " << t;
    }
  }
}

TEST(AttendTest, ScoresFarApartDoNotOverflow) {
  const HeadLayout layout{1, 4};
  std::vector<float> block(layout.block_floats(), 0);
  const float small[4] = {-1e4f, 0, 0, 0}, large[4] = {1e4f, 0, 0, 0}, one[4] = {1, 1, 1, 1},
              two[4] = {2, 2, 2, 2};
  StoreKeyValue(layout, small, one, 0, block.data());
  StoreKeyValue(layout, large, two, 1, block.data());
  const float query[4] = {1e2f, 0, 0, 0};
  const float* blocks[] = {block.data()};
  float out[4];
  Workspace workspace;
  Attend({layout, query, 4, 1, blocks, 2}, out, 4, workspace);
  EXPECT_EQ(out[0], 2.0f);
}

}  // namespace
}  // namespace attendant
