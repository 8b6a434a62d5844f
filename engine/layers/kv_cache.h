#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/kernels/attention.h"

namespace attendant {

// The sizes that a KV block follows from.
struct KvGeometry {
  int32_t num_layers = 0;
  int32_t num_heads = 0;
  int32_t head_dim = 0;

  // Bytes of one block: keys and values of kBlockTokens tokens in all layers, f32.
  size_t block_bytes() const {
    return sizeof(float) * 2 * kBlockTokens * static_cast<size_t>(num_layers) *
           static_cast<size_t>(num_heads) * static_cast<size_t>(head_dim);
  }
};

using BlockId = int32_t;

// A fixed pool of reference-counted KV blocks.
// Layout of a block: [layer][head]{ keys [head_dim][kBlockTokens], values [kBlockTokens][head_dim] }, f32.
// Keys are stored transposed so that attention scores of a whole block come without a horizontal sum.
// Invariants:
// 1. free_blocks() + blocks with a reference == num_blocks().
// 2. Memory is reserved at Create and becomes resident when a block is first used; it never exceeds the
// budget. Not thread-safe: one pool per worker.
class KvPool {
 public:
  // budget_bytes is rounded down to whole blocks. Errors: INVALID_ARGUMENT if not even one block fits;
  // RESOURCE_EXHAUSTED if the address space cannot be had.
  static absl::StatusOr<KvPool> Create(const KvGeometry& geometry, int64_t budget_bytes);
  KvPool(KvPool&& other) noexcept;
  KvPool& operator=(KvPool&&) = delete;
  ~KvPool();

  // Blocks that a sequence of `tokens` fills.
  static int32_t BlocksFor(int64_t tokens) {
    return static_cast<int32_t>((tokens + kBlockTokens - 1) / kBlockTokens);
  }

  // A block with one reference, contents undefined. Throws std::bad_alloc when the pool is empty: callers
  // plan before.
  BlockId Allocate();
  void AddReference(BlockId block) { ++references_[static_cast<size_t>(block)]; }
  void Release(BlockId block);
  bool IsShared(BlockId block) const { return references_[static_cast<size_t>(block)] > 1; }

  // One layer of a block: layer_floats() long.
  float* LayerData(BlockId block, int layer) const;
  size_t layer_floats() const { return block_floats_ / static_cast<size_t>(geometry_.num_layers); }
  // The whole block, block_bytes() long.
  float* Data(BlockId block) const { return memory_ + static_cast<size_t>(block) * block_floats_; }

  const KvGeometry& geometry() const { return geometry_; }
  int32_t num_blocks() const { return static_cast<int32_t>(references_.size()); }
  int32_t free_blocks() const { return static_cast<int32_t>(free_.size()); }

 private:
  KvPool(const KvGeometry& geometry, float* memory, size_t num_blocks);

  KvGeometry geometry_;
  size_t block_floats_;
  float* memory_;
  std::vector<int32_t> references_;
  std::vector<BlockId> free_;  // Last in, first out: the warmest block is used next.
};

// The blocks of one sequence, in order: append-only, shared with other tables until written (copy-on-write).
// Holds references in one pool, which the caller names at each call; Clear before the pool dies. Move-only by
// habit: Fork copies.
class BlockTable {
 public:
  BlockTable() = default;
  BlockTable(const BlockTable&) = delete;
  BlockTable& operator=(const BlockTable&) = delete;
  BlockTable(BlockTable&& other) noexcept;
  BlockTable& operator=(BlockTable&& other) noexcept;  // *this must be empty.

  // Makes room for one more token at index length(), which grows by one; its block is then owned by this
  // table alone.
  void Append(KvPool& pool);
  // Makes room for `tokens` tokens in an empty table.
  void Fill(KvPool& pool, int32_t tokens);
  // Shares all blocks: O(blocks), no bytes are copied.
  BlockTable Fork(KvPool& pool) const;
  // Gives every block back.
  void Clear(KvPool& pool);
  // Blocks that the next Append takes from the pool: 0 or 1.
  int32_t BlocksForAppend(const KvPool& pool) const;

  int32_t length() const { return length_; }
  absl::Span<const BlockId> blocks() const { return blocks_; }

 private:
  std::vector<BlockId> blocks_;
  int32_t length_ = 0;
};

}  // namespace attendant
