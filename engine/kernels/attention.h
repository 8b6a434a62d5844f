#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// Tokens per block of keys and values: one AVX-512 vector of f32, so that a block's scores are one register.
inline constexpr int kBlockTokens = 16;

// Sizes that the block layout follows from.
struct HeadLayout {
  int num_heads = 0;
  int head_dim = 0;

  int hidden_dim() const { return num_heads * head_dim; }
  // A block of one layer is [head]{ keys [head_dim][kBlockTokens], values [kBlockTokens][head_dim] }.
  size_t head_floats() const { return size_t{2} * kBlockTokens * static_cast<size_t>(head_dim); }
  size_t block_floats() const { return head_floats() * static_cast<size_t>(num_heads); }
};

// Queries that attend to the same keys and values, as blocks.
struct AttentionInput {
  HeadLayout layout;
  const float* queries = nullptr;  // [num_queries][hidden_dim], rows query_stride floats apart.
  size_t query_stride = 0;
  int num_queries = 0;
  absl::Span<const float* const>
      blocks;      // ceil(length / kBlockTokens) of them; slots past length may hold anything.
  int length = 0;  // Keys; at least 1.
  // Added to q · kᵀ / sqrt(head_dim); none if empty. [num_heads][2 * max_distance + 1] by key - query; the
  // queries are those of the sequence's tokens, from first_position on.
  absl::Span<const float> distance_bias = {};
  int first_position = 0;
};

// out [num_queries][hidden_dim], rows out_stride floats apart: softmax(q · kᵀ / sqrt(head_dim)) · v for each
// head. Every query's result depends on that query, the blocks and length alone, bit for bit. Source: Vaswani
// et al. 2017, section 3.2.
void Attend(const AttentionInput& input, float* out, size_t out_stride, Workspace& workspace);

// The same, and the attention probabilities: mean over heads, [num_queries][length], into probabilities.
void AttendAndReport(const AttentionInput& input, float* out, size_t out_stride, float* probabilities,
                     Workspace& workspace);

// Writes one token's key and value (hidden_dim floats each) to `slot` of a layer's block.
void StoreKeyValue(const HeadLayout& layout, const float* key, const float* value, int slot, float* block);

}  // namespace attendant
