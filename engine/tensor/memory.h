#pragma once

#include <cstddef>
#include <memory>

namespace attendant {

// What memory for numbers is aligned to, in bytes: a cache line, and a vector of AVX-512.
inline constexpr size_t kTensorAlignment = 64;

struct FreeMemory {
  void operator()(std::byte* bytes) const;
};
using AlignedBytes = std::unique_ptr<std::byte[], FreeMemory>;

// bytes of memory aligned to kTensorAlignment, uninitialised; from 2 MiB on in huge pages where the kernel
// has them (transparent_hugepage "madvise" or "always"), so that long reads do not wait for the page table.
// Throws std::bad_alloc.
AlignedBytes AllocateAligned(size_t bytes);

// The same for what lives as long as a model and is read from end to end at every step: small pieces share
// huge pages, cut from chunks of 16 MiB. A chunk is freed when its last piece is gone. Thread-safe.
std::shared_ptr<std::byte> AllocateForWeights(size_t bytes);

}  // namespace attendant
