#include "client/ordered_window.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace attendant::client {
namespace {

using Window = OrderedWindow<std::string>;

TEST(OrderedWindowTest, PopsInOrderOfReservation) {
  Window window({.max_running = 3, .max_held = 3});
  const auto a = window.Reserve(), b = window.Reserve(), c = window.Reserve();
  window.Complete(*c, "c");
  window.Complete(*a, "a");
  EXPECT_EQ(window.Pop(), "a");
  window.Complete(*b, "b");
  window.Finish();
  EXPECT_EQ(window.Pop(), "b");
  EXPECT_EQ(window.Pop(), "c");
  EXPECT_EQ(window.Pop(), std::nullopt);
}

TEST(OrderedWindowTest, ReserveWaitsForRunningOnes) {
  Window window({.max_running = 1, .max_held = 8});
  const auto first = window.Reserve();
  std::optional<Window::Ticket> second;
  std::thread reserver([&] { second = window.Reserve(); });
  window.Complete(*first, "done");
  reserver.join();  // Would hang if completing did not make room.
  EXPECT_EQ(second, *first + 1);
}

TEST(OrderedWindowTest, ReserveWaitsForThePopperWhenResultsPileUp) {
  Window window({.max_running = 2, .max_held = 2});
  window.Complete(*window.Reserve(), "1");
  window.Complete(*window.Reserve(), "2");
  std::optional<Window::Ticket> third;
  std::thread reserver([&] { third = window.Reserve(); });
  EXPECT_EQ(window.Pop(), "1");
  reserver.join();
  EXPECT_TRUE(third.has_value());
}

TEST(OrderedWindowTest, AbortKeepsWhatIsNextAndDropsTheRest) {
  Window window({.max_running = 3, .max_held = 3});
  const auto a = window.Reserve(), b = window.Reserve(), c = window.Reserve();
  window.Complete(*a, "a");
  window.Complete(*c, "c");
  window.Abort();
  window.Complete(*b, "late");
  EXPECT_EQ(window.Reserve(), std::nullopt);
  EXPECT_EQ(window.Pop(), "a");
  EXPECT_EQ(window.Pop(), std::nullopt);
}

TEST(OrderedWindowTest, AbortWakesAWaitingPopper) {
  Window window({.max_running = 1, .max_held = 1});
  window.Reserve();
  std::thread popper([&] { EXPECT_EQ(window.Pop(), std::nullopt); });
  window.Abort();
  popper.join();
}

}  // namespace
}  // namespace attendant::client
