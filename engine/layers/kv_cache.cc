#include "engine/layers/kv_cache.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

namespace attendant {

absl::StatusOr<KvPool> KvPool::Create(const KvGeometry& geometry, int64_t budget_bytes) {
  const size_t block_bytes = geometry.block_bytes();
  const size_t num_blocks = budget_bytes > 0 ? static_cast<size_t>(budget_bytes) / block_bytes : 0;
  if (num_blocks == 0) {
    return absl::InvalidArgumentError(absl::StrCat("KV cache: a budget of ", budget_bytes,
                                                   " bytes holds no block of ", block_bytes, " bytes"));
  }
  void* memory = mmap(nullptr, num_blocks * block_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("KV cache: cannot reserve ", num_blocks * block_bytes, " bytes of address space"));
  }
  madvise(memory, num_blocks * block_bytes, MADV_HUGEPAGE);  // A wish; without it everything works.
  return KvPool(geometry, static_cast<float*>(memory), num_blocks);
}

KvPool::KvPool(const KvGeometry& geometry, float* memory, size_t num_blocks)
    : geometry_(geometry),
      block_floats_(geometry.block_bytes() / sizeof(float)),
      memory_(memory),
      references_(num_blocks, 0) {
  free_.reserve(num_blocks);
  for (size_t i = num_blocks; i-- > 0;) free_.push_back(static_cast<BlockId>(i));
}

KvPool::KvPool(KvPool&& other) noexcept
    : geometry_(other.geometry_),
      block_floats_(other.block_floats_),
      memory_(std::exchange(other.memory_, nullptr)),
      references_(std::move(other.references_)),
      free_(std::move(other.free_)) {}

KvPool::~KvPool() {
  if (memory_ != nullptr) munmap(memory_, references_.size() * geometry_.block_bytes());
}

BlockId KvPool::Allocate() {
  if (free_.empty()) throw std::bad_alloc();
  const BlockId block = free_.back();
  free_.pop_back();
  references_[static_cast<size_t>(block)] = 1;
  return block;
}

void KvPool::Release(BlockId block) {
  if (--references_[static_cast<size_t>(block)] == 0) free_.push_back(block);
}

float* KvPool::LayerData(BlockId block, int layer) const {
  return Data(block) + static_cast<size_t>(layer) * layer_floats();
}

BlockTable::BlockTable(BlockTable&& other) noexcept
    : blocks_(std::move(other.blocks_)), length_(std::exchange(other.length_, 0)) {
  other.blocks_.clear();
}

BlockTable& BlockTable::operator=(BlockTable&& other) noexcept {
  blocks_ = std::move(other.blocks_);
  other.blocks_.clear();
  length_ = std::exchange(other.length_, 0);
  return *this;
}

void BlockTable::Append(KvPool& pool) {
  if (length_ % kBlockTokens == 0) {
    blocks_.reserve(blocks_.size() + 1);  // Before the block is taken: what throws later would lose it.
    blocks_.push_back(pool.Allocate());
  } else if (pool.IsShared(blocks_.back())) {
    const BlockId own = pool.Allocate();
    std::memcpy(pool.Data(own), pool.Data(blocks_.back()), pool.geometry().block_bytes());
    pool.Release(blocks_.back());
    blocks_.back() = own;
  }
  ++length_;
}

void BlockTable::Fill(KvPool& pool, int32_t tokens) {
  const int32_t count = KvPool::BlocksFor(tokens);
  blocks_.reserve(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; ++i) blocks_.push_back(pool.Allocate());
  length_ = tokens;
}

BlockTable BlockTable::Fork(KvPool& pool) const {
  BlockTable fork;
  fork.blocks_ = blocks_;
  fork.length_ = length_;
  for (const BlockId block : blocks_) pool.AddReference(block);
  return fork;
}

void BlockTable::Clear(KvPool& pool) {
  for (const BlockId block : blocks_) pool.Release(block);
  blocks_.clear();
  length_ = 0;
}

int32_t BlockTable::BlocksForAppend(const KvPool& pool) const {
  return length_ % kBlockTokens == 0 || pool.IsShared(blocks_.back()) ? 1 : 0;
}

}  // namespace attendant
