#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "absl/types/span.h"
#include "engine/tensor/memory.h"

namespace attendant {

// A bump allocator for one step's temporaries: after the first few steps no step calls malloc.
// Invariants:
// 1. Memory from Alloc is 64-byte aligned, uninitialised, and valid until Reset or the end of the Scope.
// 2. Blocks never move: growing adds a block; Reset joins them into one of their total size.
// Not for anything that outlives a step. Not thread-safe: one Workspace per worker thread.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // count elements of a trivial type. Throws std::bad_alloc.
  template <typename T>
  absl::Span<T> Alloc(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return {static_cast<T*>(AllocBytes(count * sizeof(T))), count};
  }

  // Frees everything that was handed out; keeps the memory.
  void Reset();

  // Bytes held from the system.
  size_t capacity_bytes() const;

  // Gives back, at the end of a C++ scope, what was allocated within it.
  class Scope {
   public:
    explicit Scope(Workspace& workspace)
        : workspace_(workspace), block_(workspace.block_), used_(workspace.used_) {}
    ~Scope() {
      workspace_.block_ = block_;
      workspace_.used_ = used_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Workspace& workspace_;
    size_t block_;
    size_t used_;
  };

 private:
  struct Block {
    AlignedBytes bytes;
    size_t size = 0;
  };
  void* AllocBytes(size_t bytes);
  void AddBlock(size_t bytes);

  std::vector<Block> blocks_;
  size_t block_ = 0;  // Index of the block in use.
  size_t used_ = 0;   // Bytes used of it.
};

}  // namespace attendant
