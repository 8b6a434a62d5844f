#include "engine/tensor/workspace.h"

#include <algorithm>

namespace attendant {
namespace {

constexpr size_t kMinBlockBytes = size_t{1} << 20;

size_t RoundUp(size_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

}  // namespace

void Workspace::AddBlock(size_t bytes) {
  blocks_.push_back({AllocateAligned(bytes), bytes});
}

void* Workspace::AllocBytes(size_t bytes) {
  const size_t rounded = std::max(RoundUp(bytes), kTensorAlignment);
  while (block_ < blocks_.size() && used_ + rounded > blocks_[block_].size) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    AddBlock(std::max({rounded, kMinBlockBytes, blocks_.empty() ? 0 : 2 * blocks_.back().size}));
    used_ = 0;
  }
  void* result = blocks_[block_].bytes.get() + used_;
  used_ += rounded;
  return result;
}

void Workspace::Reset() {
  if (blocks_.size() > 1) {
    const size_t total = capacity_bytes();
    blocks_.clear();
    AddBlock(total);
  }
  block_ = 0;
  used_ = 0;
}

size_t Workspace::capacity_bytes() const {
  size_t total = 0;
  for (const Block& block : blocks_) total += block.size;
  return total;
}

}  // namespace attendant
