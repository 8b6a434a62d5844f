#include "engine/tasks/serial_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace attendant {
namespace {

TEST(SerialQueueTest, RunsOneAtATimeAndInOrderOnManyThreads) {
  std::vector<int> order;  // Unguarded: the queue is the guard.
  std::atomic<int> running{0};
  {
    ThreadPool pool("test", 4);
    const auto queue = SerialQueue::Create(pool);
    for (int i = 0; i < 500; ++i) {
      queue->Post([&, i] {
        EXPECT_EQ(running.fetch_add(1), 0);
        order.push_back(i);
        running.fetch_sub(1);
      });
    }
  }
  ASSERT_EQ(order.size(), 500u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(SerialQueueTest, OutlivesItsOwnerUntilTheLastTaskHasRun) {
  std::atomic<int> ran{0};
  {
    ThreadPool pool("test", 1);
    auto queue = SerialQueue::Create(pool);
    SerialQueue* raw = queue.get();
    queue->Post([&, raw] {
      ++ran;
      raw->Post([&] { ++ran; });
    });
    queue = nullptr;
  }
  EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace attendant
