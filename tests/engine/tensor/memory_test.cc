#include "engine/tensor/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace attendant {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

bool IsAligned(const std::byte* bytes, size_t to) {
  return reinterpret_cast<uintptr_t>(bytes) % to == 0;
}

TEST(AllocateAlignedTest, IsAlignedAndAllOfItCanBeWritten) {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{65}, kHugePage - 1, kHugePage, kHugePage + 1}) {
    const AlignedBytes memory = AllocateAligned(bytes);
    EXPECT_TRUE(IsAligned(memory.get(), bytes < kHugePage ? kTensorAlignment : kHugePage)) << bytes;
    std::memset(memory.get(), 1, bytes);
  }
}

TEST(AllocateForWeightsTest, PiecesAreAlignedAndApart) {
  std::vector<std::pair<std::shared_ptr<std::byte>, size_t>> pieces;
  for (size_t i = 0; i < 200; ++i) {
    const size_t bytes = 1 + i * i * 17;  // Over a chunk in all.
    pieces.emplace_back(AllocateForWeights(bytes), bytes);
    EXPECT_TRUE(IsAligned(pieces.back().first.get(), kTensorAlignment));
    std::memset(pieces.back().first.get(), static_cast<int>(i), bytes);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i].first.get()[0], static_cast<std::byte>(i));
    EXPECT_EQ(pieces[i].first.get()[pieces[i].second - 1], static_cast<std::byte>(i));
  }
}

TEST(AllocateForWeightsTest, APieceMayBeOfAnySize) {
  for (const size_t bytes : {8 * kHugePage - 1, 8 * kHugePage, 8 * kHugePage + 1}) {
    std::memset(AllocateForWeights(bytes).get(), 1, bytes);
  }
}

TEST(AllocateForWeightsTest, APieceOutlivesItsNeighbours) {
  std::shared_ptr<std::byte> kept;
  {
    const auto before = AllocateForWeights(1000);
    kept = AllocateForWeights(1000);
    std::memset(kept.get(), 7, 1000);
  }
  const auto after = AllocateForWeights(1000);
  std::memset(after.get(), 9, 1000);
  EXPECT_EQ(kept.get()[999], static_cast<std::byte>(7));
}

TEST(AllocateForWeightsTest, ThreadsMayAllocateAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (size_t i = 1; i < 200; ++i) {
        const auto piece = AllocateForWeights(i * 100);
        std::memset(piece.get(), t, i * 100);
        EXPECT_EQ(piece.get()[i * 100 - 1], static_cast<std::byte>(t));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace attendant
