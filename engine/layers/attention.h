#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"
#include "engine/kernels/attention.h"
#include "engine/layers/kv_cache.h"
#include "engine/ops/linear.h"
#include "engine/tensor/thread_team.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// Sequences packed end to end: sequence i is rows begin(i) to end(i). No row is padding.
class PackedSequences {
 public:
  // offsets: ascending from 0, one more than there are sequences; borrowed.
  explicit PackedSequences(absl::Span<const int32_t> offsets) : offsets_(offsets) {}
  size_t size() const { return offsets_.size() - 1; }
  size_t begin(size_t i) const { return static_cast<size_t>(offsets_[i]); }
  int32_t length(size_t i) const { return offsets_[i + 1] - offsets_[i]; }
  size_t rows() const { return static_cast<size_t>(offsets_.back()); }

 private:
  absl::Span<const int32_t> offsets_;
};

// What a range of a packed batch's rows has of one sequence.
struct SequenceSlice {
  size_t sequence = 0;
  int32_t first = 0;  // Token of the sequence.
  int32_t tokens = 0;
  size_t row = 0;  // Of the batch.
};

// What an encoder's self-attention takes and gives beside the rows.
struct PackedAttentionExtras {
  absl::Span<const float> distance_bias;  // As AttentionInput has it; none if empty.
  // For each sequence where its attention goes, mean over heads: [length][length]; null: not wanted. Nobody
  // wants any if empty.
  absl::Span<float* const> maps;
};

// A packed batch's queries, keys and values.
struct PackedProjections {
  absl::Span<float> qkv;  // [rows][3 * hidden_dim]
  absl::Span<const absl::Span<float*>>
      blocks;  // Of each sequence: its keys and values, as HeadLayout has them.
};

// What a decode step's row has in the cache. The row's own token already has its slot in `self`: the last
// one.
struct CacheRow {
  const BlockTable* self = nullptr;
  const BlockTable* cross = nullptr;
  float* attention = nullptr;  // [cross->length()] if the alignment layer shall report it; else null.
};

// The cache as one layer of one step sees it.
struct LayerCache {
  const KvPool& pool;
  int layer = 0;
  absl::Span<const CacheRow> rows;
};

// Multi-head self-attention with its output projection and residual connection. Immutable after construction:
// thread-safe. Source: Vaswani et al. 2017, section 3.2.
class SelfAttention {
 public:
  // qkv: hidden_dim -> 3 * hidden_dim (query, key, value); output: hidden_dim -> hidden_dim,
  // LinearOutput::kAdd.
  SelfAttention(const HeadLayout& layout, Linear qkv, Linear output)
      : layout_(layout), qkv_(std::move(qkv)), output_(std::move(output)) {}

  // As Linear has them.
  void PrepareColumnSharing() {
    qkv_.PrepareColumnSharing();
    output_.PrepareColumnSharing();
  }
  bool shares_columns() const { return qkv_.shares_columns() && output_.shares_columns(); }

  // Attention over each sequence of a packed batch, in both directions, in two halves, so that several
  // threads share the rows: all rows are projected before any is mixed.
  //
  // Where the halves keep what they hand over. Valid while the workspace's memory is.
  PackedProjections AllocPacked(const PackedSequences& sequences, Workspace& workspace) const;
  // input: the rows of the range, [rows.size(), hidden_dim].
  void ProjectPacked(const PackedSequences& sequences, RowRange rows, const float* input,
                     const PackedProjections& projections, const ThreadTeam& team) const;
  // x [rows.size(), hidden_dim], the rows of the range, += attention.
  void MixPacked(const PackedSequences& sequences, RowRange rows, const PackedAttentionExtras& extras,
                 const PackedProjections& projections, float* x, const ThreadTeam& team) const;
  // x [rows, hidden_dim] += attention over each row's history and itself; writes the row's key and value to
  // the cache.
  void RunStep(const LayerCache& cache, float* x, Workspace& workspace) const;

  int64_t size_bytes() const { return qkv_.size_bytes() + output_.size_bytes(); }

 private:
  // out [slice.tokens, hidden_dim]
  void MixSlice(const SequenceSlice& slice, int32_t length, const PackedAttentionExtras& extras,
                const PackedProjections& projections, float* out, Workspace& workspace) const;

  HeadLayout layout_;
  Linear qkv_;
  Linear output_;
};

// Multi-head attention over an encoded source, with its output projection and residual connection.
// Immutable after construction: thread-safe.
class CrossAttention {
 public:
  // query: hidden_dim -> hidden_dim; key_value: hidden_dim -> 2 * hidden_dim; output as in SelfAttention.
  CrossAttention(const HeadLayout& layout, Linear query, Linear key_value, Linear output)
      : layout_(layout),
        query_(std::move(query)),
        key_value_(std::move(key_value)),
        output_(std::move(output)) {}

  // Writes the keys and values of encoded [rows, hidden_dim] to each sequence's table, which has room for
  // them.
  void FillCache(const PackedSequences& sequences, const float* encoded, int layer,
                 absl::Span<BlockTable* const> tables, const KvPool& pool, Workspace& workspace) const;
  // x [rows, hidden_dim] += attention over each row's source. Neighbouring rows of one source share the
  // reading of it.
  void RunStep(const LayerCache& cache, float* x, Workspace& workspace) const;

  int64_t size_bytes() const { return query_.size_bytes() + key_value_.size_bytes() + output_.size_bytes(); }

 private:
  HeadLayout layout_;
  Linear query_;
  Linear key_value_;
  Linear output_;
};

}  // namespace attendant
