#include "engine/tensor/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>

namespace attendant {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

size_t RoundUpTo(size_t bytes, size_t to) {
  return (bytes + to - 1) / to * to;
}

// Hands out a chunk of memory piece by piece, while somebody holds a piece of it.
class PieceCutter {
 public:
  std::shared_ptr<std::byte> Cut(size_t bytes) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<std::byte> chunk = chunk_.lock();
    if (chunk == nullptr || used_ + bytes > size_) {
      size_ = RoundUpTo(std::max(bytes, kChunk), kHugePage);
      used_ = 0;
      chunk = std::shared_ptr<std::byte>(AllocateAligned(size_).release(), FreeMemory());
      chunk_ = chunk;
    }
    std::byte* piece = chunk.get() + used_;
    used_ += RoundUpTo(bytes, kTensorAlignment);
    return {std::move(chunk), piece};
  }

 private:
  static constexpr size_t kChunk = 8 * kHugePage;

  std::mutex mutex_;
  std::weak_ptr<std::byte> chunk_;  // Guarded by mutex_, as all below.
  size_t size_ = 0;
  size_t used_ = 0;
};

}  // namespace

void FreeMemory::operator()(std::byte* bytes) const {
  std::free(bytes);
}

AlignedBytes AllocateAligned(size_t bytes) {
  const bool is_huge = bytes >= kHugePage;
  void* memory = nullptr;
  if (posix_memalign(&memory, is_huge ? kHugePage : kTensorAlignment, std::max<size_t>(bytes, 1)) != 0) {
    throw std::bad_alloc();
  }
  if (is_huge) madvise(memory, bytes, MADV_HUGEPAGE);  // Failing costs speed only.
  return AlignedBytes(static_cast<std::byte*>(memory));
}

std::shared_ptr<std::byte> AllocateForWeights(size_t bytes) {
  static auto& cutter = *new PieceCutter();  // Never destroyed: used until the end.
  return cutter.Cut(bytes);
}

}  // namespace attendant
