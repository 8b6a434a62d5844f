#include "engine/base/thread_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace attendant {
namespace {

TEST(ThreadPoolTest, RunsEveryTaskOnceAlsoThoseQueuedAtDestruction) {
  constexpr int kTasks = 1000;
  std::vector<std::atomic<int>> runs(kTasks);
  {
    ThreadPool pool("test", 3);
    for (int i = 0; i < kTasks; ++i) {
      pool.Post([&runs, i] { runs[static_cast<size_t>(i)].fetch_add(1); });
    }
  }
  for (const std::atomic<int>& count : runs) EXPECT_EQ(count.load(), 1);
}

TEST(ThreadPoolTest, OneThreadKeepsTheOrderOfArrival) {
  std::vector<int> order;
  {
    ThreadPool pool("test", 1);
    for (int i = 0; i < 100; ++i) pool.Post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(ThreadPoolTest, TaskMayPostAnother) {
  std::promise<void> done;
  ThreadPool pool("test", 1);
  pool.Post([&] { pool.Post([&] { done.set_value(); }); });
  done.get_future().wait();
}

TEST(ThreadPoolTest, TakesMoveOnlyTasksAndLetsTheirCapturesGo) {
  auto shared = std::make_shared<int>(5);
  const std::weak_ptr<int> watch = shared;
  {
    ThreadPool pool("test", 1);
    auto unique = std::make_unique<std::shared_ptr<int>>(std::move(shared));
    pool.Post([held = std::move(unique)] { EXPECT_EQ(**held, 5); });
  }
  EXPECT_TRUE(watch.expired());
}

TEST(ThreadPoolTest, ThreadsCarryTheName) {
  std::promise<std::string> name;
  ThreadPool pool("fifteen-bytes-x", 1);
  pool.Post([&] {
    char text[16] = {};
    pthread_getname_np(pthread_self(), text, sizeof(text));
    name.set_value(text);
  });
  EXPECT_EQ(name.get_future().get(), "fifteen-bytes-x");
}

}  // namespace
}  // namespace attendant
