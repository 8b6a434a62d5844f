#include "engine/layers/kv_cache.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <random>
#include <set>
#include <vector>

namespace attendant {
namespace {

constexpr KvGeometry kGeometry{.num_layers = 2, .num_heads = 2, .head_dim = 4};

KvPool MakePool(int blocks) {
  return *KvPool::Create(kGeometry, static_cast<int64_t>(kGeometry.block_bytes()) * blocks);
}

TEST(KvPoolTest, BudgetIsRoundedDownToWholeBlocks) {
  const int64_t block = static_cast<int64_t>(kGeometry.block_bytes());
  EXPECT_EQ(KvPool::Create(kGeometry, 3 * block - 1)->num_blocks(), 2);
  EXPECT_EQ(KvPool::Create(kGeometry, 3 * block)->num_blocks(), 3);
  EXPECT_EQ(KvPool::Create(kGeometry, 3 * block + 1)->num_blocks(), 3);
}

TEST(KvPoolTest, BudgetUnderOneBlockIsRefused) {
  for (const int64_t budget : {int64_t{-1}, int64_t{0}, static_cast<int64_t>(kGeometry.block_bytes()) - 1}) {
    EXPECT_EQ(KvPool::Create(kGeometry, budget).status().code(), absl::StatusCode::kInvalidArgument)
        << budget;
  }
  EXPECT_TRUE(KvPool::Create(kGeometry, static_cast<int64_t>(kGeometry.block_bytes())).ok());
}

TEST(KvPoolTest, HandsOutEachBlockOnceAndThrowsWhenEmpty) {
  KvPool pool = MakePool(3);
  const std::set<BlockId> blocks = {pool.Allocate(), pool.Allocate(), pool.Allocate()};
  EXPECT_EQ(blocks.size(), 3u);
  EXPECT_EQ(pool.free_blocks(), 0);
  EXPECT_THROW(pool.Allocate(), std::bad_alloc);
  pool.Release(*blocks.begin());
  EXPECT_EQ(pool.Allocate(), *blocks.begin());
}

TEST(KvPoolTest, BlocksForCountsAtTheEdges) {
  EXPECT_EQ(KvPool::BlocksFor(0), 0);
  EXPECT_EQ(KvPool::BlocksFor(1), 1);
  EXPECT_EQ(KvPool::BlocksFor(kBlockTokens), 1);
  EXPECT_EQ(KvPool::BlocksFor(kBlockTokens + 1), 2);
}

TEST(BlockTableTest, AppendTakesABlockPerBlockTokens) {
  KvPool pool = MakePool(4);
  BlockTable table;
  for (int i = 1; i <= 2 * kBlockTokens + 1; ++i) {
    const int32_t expected = table.BlocksForAppend(pool);
    const int32_t before = pool.free_blocks();
    table.Append(pool);
    EXPECT_EQ(before - pool.free_blocks(), expected) << i;
    EXPECT_EQ(table.length(), i);
    EXPECT_EQ(static_cast<int32_t>(table.blocks().size()), KvPool::BlocksFor(i));
  }
  table.Clear(pool);
  EXPECT_EQ(pool.free_blocks(), 4);
}

TEST(BlockTableTest, ForkSharesUntilWrittenAndThenCopiesTheHalfFilledBlockOnly) {
  KvPool pool = MakePool(8);
  BlockTable table;
  for (int i = 0; i < kBlockTokens + 3; ++i) table.Append(pool);
  std::memset(pool.Data(table.blocks()[1]), 7, kGeometry.block_bytes());
  BlockTable fork = table.Fork(pool);
  EXPECT_EQ(pool.free_blocks(), 6) << "a fork takes nothing";
  EXPECT_EQ(fork.BlocksForAppend(pool), 1);
  fork.Append(pool);
  EXPECT_EQ(pool.free_blocks(), 5);
  EXPECT_EQ(fork.blocks()[0], table.blocks()[0]) << "the full block stays shared";
  ASSERT_NE(fork.blocks()[1], table.blocks()[1]);
  EXPECT_EQ(std::memcmp(pool.Data(fork.blocks()[1]), pool.Data(table.blocks()[1]), kGeometry.block_bytes()),
            0);
  EXPECT_EQ(table.BlocksForAppend(pool), 0) << "the original owns its block again";
  table.Clear(pool);
  fork.Clear(pool);
  EXPECT_EQ(pool.free_blocks(), 8);
}

TEST(BlockTableTest, ForkAtAFullBlockCopiesNothing) {
  KvPool pool = MakePool(4);
  BlockTable table;
  for (int i = 0; i < kBlockTokens; ++i) table.Append(pool);
  BlockTable fork = table.Fork(pool);
  fork.Append(pool);
  EXPECT_EQ(fork.blocks()[0], table.blocks()[0]);
  EXPECT_EQ(pool.free_blocks(), 2);
  table.Clear(pool);
  fork.Clear(pool);
}

// Every history stays what it was, whatever is forked, appended and cleared around it; and nothing leaks.
TEST(BlockTableTest, HistoriesSurviveRandomForksAppendsAndClears) {
  KvPool pool = MakePool(400);
  std::mt19937 random(1);
  struct Branch {
    BlockTable table;
    std::vector<float> history;
  };
  std::vector<Branch> branches(1);
  const auto slot = [&pool](const BlockTable& table, int token) -> float& {
    return pool.Data(table.blocks()[static_cast<size_t>(token / kBlockTokens)])[token % kBlockTokens];
  };
  for (int step = 0; step < 5000; ++step) {
    Branch& branch = branches[random() % branches.size()];
    const uint32_t action = random() % 10;
    if (action < 7 && branch.table.length() < 100) {
      branch.table.Append(pool);
      branch.history.push_back(static_cast<float>(step));
      slot(branch.table, branch.table.length() - 1) = static_cast<float>(step);
    } else if (action < 8 && branches.size() < 20) {
      Branch fork{branch.table.Fork(pool), branch.history};
      branches.push_back(std::move(fork));
    } else if (branches.size() > 1) {
      branch.table.Clear(pool);
      std::swap(branch, branches.back());
      branches.pop_back();
    }
    for (const Branch& each : branches) {
      for (size_t t = 0; t < each.history.size(); t += 7) {
        ASSERT_EQ(slot(each.table, static_cast<int>(t)), each.history[t]) << "step " << step;
      }
    }
  }
  for (Branch& branch : branches) branch.table.Clear(pool);
  EXPECT_EQ(pool.free_blocks(), pool.num_blocks());
}

}  // namespace
}  // namespace attendant
