#include "engine/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/attention.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// foreach_target comes first.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace attendant {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that a block of scores is a whole number of vectors on every target.
using Lanes = hn::CappedTag<float, kBlockTokens>;
using Vector = hn::Vec<Lanes>;

constexpr int kUnroll = 2;        // Independent sums over head_dim, to hide the latency of multiply-add.
constexpr int kBlocksAtOnce = 2;  // So that what is loaded of a query serves more than one vector of keys.

// scores[q][0..kBlocks * kBlockTokens) = queries[q] · keys of kBlocks blocks, unscaled, for kQueries queries.
// A score's bits depend on neither number.
template <int kQueries, int kBlocks>
HWY_ATTR void ScoreBlocks(const float* const* queries, const float* const* keys, int head_dim,
                          float* const* scores) {
  const Lanes lanes;
  for (size_t lane = 0; lane < kBlockTokens; lane += hn::Lanes(lanes)) {
    Vector sums[kBlocks][kQueries][kUnroll];
    for (auto& block : sums) {
      for (auto& row : block) {
        for (Vector& sum : row) sum = hn::Zero(lanes);
      }
    }
    const auto add = [&](int d, int u) HWY_ATTR {
      Vector key[kBlocks];
      for (int b = 0; b < kBlocks; ++b) key[b] = hn::LoadU(lanes, keys[b] + d * kBlockTokens + lane);
      for (int q = 0; q < kQueries; ++q) {
        const Vector query = hn::Set(lanes, queries[q][d]);
        for (int b = 0; b < kBlocks; ++b) sums[b][q][u] = hn::MulAdd(query, key[b], sums[b][q][u]);
      }
    };
    const int whole = head_dim - head_dim % kUnroll;
    for (int d = 0; d < whole; d += kUnroll) {
      for (int u = 0; u < kUnroll; ++u) add(d + u, u);
    }
    for (int d = whole; d < head_dim; ++d) add(d, 0);
    for (int b = 0; b < kBlocks; ++b) {
      for (int q = 0; q < kQueries; ++q) {
        hn::StoreU(hn::Add(sums[b][q][0], sums[b][q][1]), lanes, scores[q] + b * kBlockTokens + lane);
      }
    }
  }
}

template <int kQueries>
HWY_ATTR void ScoreAll(const float* const* queries, absl::Span<const float* const> blocks, size_t offset,
                       int head_dim, float* const* scores) {
  float* to[kQueries];
  size_t b = 0;
  const auto score = [&]<int kBlocks>() HWY_ATTR {
    const float* keys[kBlocks];
    for (size_t i = 0; i < kBlocks; ++i) keys[i] = blocks[b + i] + offset;
    for (int q = 0; q < kQueries; ++q) to[q] = scores[q] + b * kBlockTokens;
    ScoreBlocks<kQueries, kBlocks>(queries, keys, head_dim, to);
    b += kBlocks;
  };
  while (b + kBlocksAtOnce <= blocks.size()) score.template operator()<kBlocksAtOnce>();
  while (b < blocks.size()) score.template operator()<1>();
}

// Turns the scores of one query into exp(scale * (s - max)), zero past length; returns their sum.
HWY_ATTR float SoftmaxNumerators(float* scores, int length, int padded, float scale) {
  const Lanes lanes;
  const size_t step = hn::Lanes(lanes);
  std::fill(scores + length, scores + padded, -INFINITY);  // Also hides what unused slots held.
  Vector max = hn::LoadU(lanes, scores);
  for (size_t i = step; i < static_cast<size_t>(padded); i += step)
    max = hn::Max(max, hn::LoadU(lanes, scores + i));
  const Vector top = hn::MaxOfLanes(lanes, max);
  const Vector factor = hn::Set(lanes, scale);
  const auto numerators = [&](size_t i) HWY_ATTR {
    const Vector power = hn::Mul(hn::Sub(hn::LoadU(lanes, scores + i), top), factor);
    // Exp of -inf is not promised to be 0 by every target: clamp where exp underflows anyway.
    return hn::Exp(lanes, hn::Max(power, hn::Set(lanes, -100.0f)));
  };
  Vector sum = hn::Zero(lanes);
  const size_t whole = static_cast<size_t>(length) / step * step;
  for (size_t i = 0; i < whole; i += step) {
    const Vector numerator = numerators(i);
    hn::StoreU(numerator, lanes, scores + i);
    sum = hn::Add(sum, numerator);
  }
  for (size_t i = whole; i < static_cast<size_t>(padded); i += step) {
    const size_t filled = i < static_cast<size_t>(length) ? static_cast<size_t>(length) - i : 0;
    const Vector numerator = hn::IfThenElseZero(hn::FirstN(lanes, filled), numerators(i));
    hn::StoreU(numerator, lanes, scores + i);
    sum = hn::Add(sum, numerator);
  }
  return hn::GetLane(hn::SumOfLanes(lanes, sum));
}

// out[q] += Σ_t weights[q][t] * values[t], over `vectors` vectors of the head from column `column`.
template <int kQueries, int kVectors>
HWY_ATTR void AddValues(const float* const* weights, const float* values, int tokens, int head_dim,
                        int column, float* const* out) {
  const Lanes lanes;
  const int step = static_cast<int>(hn::Lanes(lanes));
  Vector sums[kQueries][kVectors];
  for (int q = 0; q < kQueries; ++q) {
    for (int v = 0; v < kVectors; ++v) sums[q][v] = hn::LoadU(lanes, out[q] + column + v * step);
  }
  for (int t = 0; t < tokens; ++t) {
    for (int v = 0; v < kVectors; ++v) {
      const Vector value = hn::LoadU(lanes, values + t * head_dim + column + v * step);
      for (int q = 0; q < kQueries; ++q)
        sums[q][v] = hn::MulAdd(hn::Set(lanes, weights[q][t]), value, sums[q][v]);
    }
  }
  for (int q = 0; q < kQueries; ++q) {
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[q][v], lanes, out[q] + column + v * step);
  }
}

template <int kQueries>
HWY_ATTR void AddBlockValues(const float* const* weights, const float* values, int tokens, int head_dim,
                             float* const* out) {
  const int step = static_cast<int>(hn::Lanes(Lanes()));
  int column = 0;
  for (; column + 4 * step <= head_dim; column += 4 * step) {
    AddValues<kQueries, 4>(weights, values, tokens, head_dim, column, out);
  }
  for (; column + 2 * step <= head_dim; column += 2 * step)
    AddValues<kQueries, 2>(weights, values, tokens, head_dim, column, out);
  for (; column + step <= head_dim; column += step)
    AddValues<kQueries, 1>(weights, values, tokens, head_dim, column, out);
  for (; column < head_dim; ++column) {  // head_dim that is no multiple of the vector.
    for (int q = 0; q < kQueries; ++q) {
      float sum = out[q][column];
      for (int t = 0; t < tokens; ++t) sum = std::fma(weights[q][t], values[t * head_dim + column], sum);
      out[q][column] = sum;
    }
  }
}

// Adds the bias of each key's distance to the scores of query `position`, unscaled as they are.
HWY_ATTR void AddDistanceBias(const AttentionInput& input, int head, int position, float* scores) {
  const size_t width = input.distance_bias.size() / static_cast<size_t>(input.layout.num_heads);
  const float* bias = input.distance_bias.data() + static_cast<size_t>(head) * width + width / 2 - position;
  const float unscale = std::sqrt(static_cast<float>(input.layout.head_dim));
  for (int t = 0; t < input.length; ++t) scores[t] += unscale * bias[t];
}

struct HeadTask {
  const AttentionInput* input;
  int head;
  float* out;
  size_t out_stride;
  float* probabilities;  // Of the first query, or null; rows input->length apart; added to.
  float* scores;         // Scratch: kQueries rows of padded length.
};

// One head of kQueries queries from `first` on.
template <int kQueries>
HWY_ATTR void AttendHead(const HeadTask& task, int first) {
  const AttentionInput& input = *task.input;
  const int head_dim = input.layout.head_dim;
  const int padded = static_cast<int>(input.blocks.size()) * kBlockTokens;
  const size_t column = static_cast<size_t>(task.head) * static_cast<size_t>(head_dim);
  const size_t offset = static_cast<size_t>(task.head) * input.layout.head_floats();
  const float* queries[kQueries];
  float* scores[kQueries];
  float* block_scores[kQueries];
  float* out[kQueries];
  for (int q = 0; q < kQueries; ++q) {
    queries[q] = input.queries + static_cast<size_t>(first + q) * input.query_stride + column;
    out[q] = task.out + static_cast<size_t>(first + q) * task.out_stride + column;
    scores[q] = task.scores + q * padded;
  }
  ScoreAll<kQueries>(queries, input.blocks, offset, head_dim, scores);
  float sums[kQueries];
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  for (int q = 0; q < kQueries; ++q) {
    if (!input.distance_bias.empty())
      AddDistanceBias(input, task.head, input.first_position + first + q, scores[q]);
    sums[q] = SoftmaxNumerators(scores[q], input.length, padded, scale);
    std::memset(out[q], 0, static_cast<size_t>(head_dim) * sizeof(float));
  }
  for (size_t b = 0; b < input.blocks.size(); ++b) {
    const int tokens = std::min(kBlockTokens, input.length - static_cast<int>(b) * kBlockTokens);
    for (int q = 0; q < kQueries; ++q) block_scores[q] = scores[q] + b * kBlockTokens;
    const float* values = input.blocks[b] + offset + static_cast<size_t>(head_dim) * kBlockTokens;
    AddBlockValues<kQueries>(block_scores, values, tokens, head_dim, out);
  }
  for (int q = 0; q < kQueries; ++q) {
    const float inverse = 1.0f / sums[q];
    for (int d = 0; d < head_dim; ++d) out[q][d] *= inverse;
    if (task.probabilities == nullptr) continue;
    float* probabilities =
        task.probabilities + static_cast<size_t>(first + q) * static_cast<size_t>(input.length);
    const float share = inverse / static_cast<float>(input.layout.num_heads);
    for (int t = 0; t < input.length; ++t) probabilities[t] += scores[q][t] * share;
  }
}

HWY_ATTR void AttendAllHeads(const AttentionInput& input, float* out, size_t out_stride, float* probabilities,
                             float* scores) {
  for (int head = 0; head < input.layout.num_heads; ++head) {
    const HeadTask task{&input, head, out, out_stride, probabilities, scores};
    int first = 0;
    for (; first + 4 <= input.num_queries; first += 4) AttendHead<4>(task, first);
    for (; first < input.num_queries; ++first) AttendHead<1>(task, first);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace attendant
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attendant {
namespace {

HWY_EXPORT(AttendAllHeads);

constexpr size_t kQueriesAtOnce = 4;

void Run(const AttentionInput& input, float* out, size_t out_stride, float* probabilities,
         Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  const auto scores = workspace.Alloc<float>(kQueriesAtOnce * input.blocks.size() * kBlockTokens);
  HWY_DYNAMIC_DISPATCH(AttendAllHeads)(input, out, out_stride, probabilities, scores.data());
}

}  // namespace

void Attend(const AttentionInput& input, float* out, size_t out_stride, Workspace& workspace) {
  Run(input, out, out_stride, /*probabilities=*/nullptr, workspace);
}

void AttendAndReport(const AttentionInput& input, float* out, size_t out_stride, float* probabilities,
                     Workspace& workspace) {
  std::fill_n(probabilities, input.num_queries * input.length, 0.0f);
  Run(input, out, out_stride, probabilities, workspace);
}

void StoreKeyValue(const HeadLayout& layout, const float* key, const float* value, int slot, float* block) {
  const size_t head_dim = static_cast<size_t>(layout.head_dim);
  for (int head = 0; head < layout.num_heads; ++head) {
    for (size_t d = 0; d < head_dim; ++d) block[d * kBlockTokens + static_cast<size_t>(slot)] = key[d];
    std::memcpy(block + (kBlockTokens + static_cast<size_t>(slot)) * head_dim, value,
                head_dim * sizeof(float));
    key += head_dim;
    value += head_dim;
    block += layout.head_floats();
  }
}

}  // namespace attendant
#endif  // HWY_ONCE
