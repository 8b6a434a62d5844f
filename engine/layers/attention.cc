#include "engine/layers/attention.h"

#include <algorithm>

#include "absl/functional/function_ref.h"

namespace attendant {
namespace {

// Where the blocks of a table hold one layer.
absl::Span<const float* const> LayerBlocks(const KvPool& pool, int layer, const BlockTable& table,
                                           Workspace& workspace) {
  const auto blocks = workspace.Alloc<const float*>(table.blocks().size());
  for (size_t b = 0; b < blocks.size(); ++b) blocks[b] = pool.LayerData(table.blocks()[b], layer);
  return blocks;
}

// Packs the keys and values of a sequence's tokens from `first` on, rows `stride` floats apart, into its
// blocks.
struct KeyValueRows {
  const float* keys;
  const float* values;
  size_t stride;
  int32_t first;
  int32_t tokens;
};
void StoreRows(const HeadLayout& layout, const KeyValueRows& rows, absl::Span<float* const> blocks) {
  for (int32_t i = 0; i < rows.tokens; ++i) {
    const size_t offset = static_cast<size_t>(i) * rows.stride;
    const int32_t token = rows.first + i;
    StoreKeyValue(layout, rows.keys + offset, rows.values + offset, token % kBlockTokens,
                  blocks[static_cast<size_t>(token / kBlockTokens)]);
  }
}

void ForEachSlice(const PackedSequences& sequences, RowRange rows,
                  absl::FunctionRef<void(const SequenceSlice&)> call) {
  for (size_t i = 0; i < sequences.size(); ++i) {
    const size_t begin = std::max(sequences.begin(i), rows.begin);
    const size_t end = std::min(sequences.begin(i + 1), rows.end);
    if (begin >= end) continue;
    call({i, static_cast<int32_t>(begin - sequences.begin(i)), static_cast<int32_t>(end - begin), begin});
  }
}

bool SharesSource(const CacheRow& a, const CacheRow& b) {
  return b.cross == a.cross && b.attention == nullptr;
}

}  // namespace

PackedProjections SelfAttention::AllocPacked(const PackedSequences& sequences, Workspace& workspace) const {
  const size_t hidden_dim = static_cast<size_t>(layout_.hidden_dim());
  const auto blocks = workspace.Alloc<absl::Span<float*>>(sequences.size());
  for (size_t i = 0; i < sequences.size(); ++i) {
    blocks[i] = workspace.Alloc<float*>(static_cast<size_t>(KvPool::BlocksFor(sequences.length(i))));
    for (float*& block : blocks[i]) block = workspace.Alloc<float>(layout_.block_floats()).data();
  }
  return {workspace.Alloc<float>(sequences.rows() * 3 * hidden_dim), blocks};
}

void SelfAttention::ProjectPacked(const PackedSequences& sequences, RowRange rows, const float* input,
                                  const PackedProjections& projections, const ThreadTeam& team) const {
  const size_t hidden_dim = static_cast<size_t>(layout_.hidden_dim());
  const size_t stride = 3 * hidden_dim;
  qkv_.Run(input, rows.size(), projections.qkv.data() + rows.begin * stride, team);
  ForEachSlice(sequences, rows, [&](const SequenceSlice& slice) {
    const float* keys = projections.qkv.data() + slice.row * stride + hidden_dim;
    StoreRows(layout_, {keys, keys + hidden_dim, stride, slice.first, slice.tokens},
              projections.blocks[slice.sequence]);
  });
}

void SelfAttention::MixPacked(const PackedSequences& sequences, RowRange rows,
                              const PackedAttentionExtras& extras, const PackedProjections& projections,
                              float* x, const ThreadTeam& team) const {
  const Workspace::Scope scope(team.workspace());
  const size_t hidden_dim = static_cast<size_t>(layout_.hidden_dim());
  const auto mixed = team.workspace().Alloc<float>(rows.size() * hidden_dim);
  team.Run([&](const WorkPart& part, Workspace& own) {
    ForEachSlice(sequences, part.Of(rows), [&](const SequenceSlice& slice) {
      MixSlice(slice, sequences.length(slice.sequence), extras, projections,
               mixed.data() + (slice.row - rows.begin) * hidden_dim, own);
    });
  });
  output_.Run(mixed.data(), rows.size(), x, team);
}

void SelfAttention::MixSlice(const SequenceSlice& slice, int32_t length, const PackedAttentionExtras& extras,
                             const PackedProjections& projections, float* out, Workspace& workspace) const {
  const size_t hidden_dim = static_cast<size_t>(layout_.hidden_dim());
  const size_t stride = 3 * hidden_dim;
  const AttentionInput input{layout_,
                             projections.qkv.data() + slice.row * stride,
                             stride,
                             slice.tokens,
                             projections.blocks[slice.sequence],
                             length,
                             extras.distance_bias,
                             slice.first};
  float* map = extras.maps.empty() ? nullptr : extras.maps[slice.sequence];
  if (map == nullptr) return Attend(input, out, hidden_dim, workspace);
  map += static_cast<size_t>(slice.first) * static_cast<size_t>(length);
  AttendAndReport(input, out, hidden_dim, map, workspace);
}

void SelfAttention::RunStep(const LayerCache& cache, float* x, Workspace& workspace) const {
  const Workspace::Scope scope(workspace);
  const size_t hidden_dim = static_cast<size_t>(layout_.hidden_dim());
  const size_t stride = 3 * hidden_dim;
  const auto qkv = workspace.Alloc<float>(cache.rows.size() * stride);
  const auto mixed = workspace.Alloc<float>(cache.rows.size() * hidden_dim);
  qkv_.Run(x, cache.rows.size(), qkv.data(), workspace);
  for (size_t r = 0; r < cache.rows.size(); ++r) {
    const Workspace::Scope row_scope(workspace);
    const BlockTable& table = *cache.rows[r].self;
    const float* row = qkv.data() + r * stride;
    StoreKeyValue(layout_, row + hidden_dim, row + 2 * hidden_dim, (table.length() - 1) % kBlockTokens,
                  cache.pool.LayerData(table.blocks().back(), cache.layer));
    const AttentionInput input{
        layout_, row, stride, 1, LayerBlocks(cache.pool, cache.layer, table, workspace), table.length()};
    Attend(input, mixed.data() + r * hidden_dim, hidden_dim, workspace);
  }
  output_.Run(mixed.data(), cache.rows.size(), x, workspace);
}

void CrossAttention::FillCache(const PackedSequences& sequences, const float* encoded, int layer,
                               absl::Span<BlockTable* const> tables, const KvPool& pool,
                               Workspace& workspace) const {
  const Workspace::Scope scope(workspace);
  const size_t hidden_dim = static_cast<size_t>(layout_.hidden_dim());
  const size_t stride = 2 * hidden_dim;
  const auto key_value = workspace.Alloc<float>(sequences.rows() * stride);
  key_value_.Run(encoded, sequences.rows(), key_value.data(), workspace);
  for (size_t i = 0; i < sequences.size(); ++i) {
    const Workspace::Scope sequence_scope(workspace);
    const auto blocks = workspace.Alloc<float*>(tables[i]->blocks().size());
    for (size_t b = 0; b < blocks.size(); ++b) blocks[b] = pool.LayerData(tables[i]->blocks()[b], layer);
    const float* rows = key_value.data() + sequences.begin(i) * stride;
    StoreRows(layout_, {rows, rows + hidden_dim, stride, 0, sequences.length(i)}, blocks);
  }
}

void CrossAttention::RunStep(const LayerCache& cache, float* x, Workspace& workspace) const {
  const Workspace::Scope scope(workspace);
  const size_t hidden_dim = static_cast<size_t>(layout_.hidden_dim());
  const size_t num_rows = cache.rows.size();
  const auto queries = workspace.Alloc<float>(num_rows * hidden_dim);
  const auto mixed = workspace.Alloc<float>(num_rows * hidden_dim);
  query_.Run(x, num_rows, queries.data(), workspace);
  for (size_t first = 0, end = 0; first < num_rows; first = end) {
    const CacheRow& row = cache.rows[first];
    // Rows that report their attention go alone: each has its own place to report to.
    end = first + 1;
    while (end < num_rows && row.attention == nullptr && SharesSource(row, cache.rows[end])) ++end;
    const Workspace::Scope row_scope(workspace);
    const AttentionInput input{layout_,
                               queries.data() + first * hidden_dim,
                               hidden_dim,
                               static_cast<int>(end - first),
                               LayerBlocks(cache.pool, cache.layer, *row.cross, workspace),
                               row.cross->length()};
    float* out = mixed.data() + first * hidden_dim;
    if (row.attention == nullptr) {
      Attend(input, out, hidden_dim, workspace);
    } else {
      AttendAndReport(input, out, hidden_dim, row.attention, workspace);
    }
  }
  output_.Run(mixed.data(), num_rows, x, workspace);
}

}  // namespace attendant
