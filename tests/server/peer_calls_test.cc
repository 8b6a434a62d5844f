#include "server/peer_calls.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace attendant {
namespace {

TEST(PeerCallsTest, TellsWhoHasMoreThanTheLimit) {
  std::vector<std::string> told;
  PeerCalls calls({.of_peer = 3, .in_all = 1000, .of_peer_when_full = 1},
                  [&](const std::string& peer) { told.push_back(peer); });
  std::vector<std::unique_ptr<PeerCalls::Call>> open;
  const auto add = [&](const char* peer) { open.push_back(std::make_unique<PeerCalls::Call>(calls, peer)); };
  for (int i = 0; i < 3; ++i) add("a");
  add("b");
  EXPECT_TRUE(told.empty());
  add("a");
  EXPECT_EQ(told, std::vector<std::string>{"a"});
  open.pop_back();
  open.erase(open.begin());
  add("a");
  EXPECT_EQ(told.size(), 1u);
  for (int i = 0; i < 300; ++i) add("a");
  EXPECT_EQ(told.size(), 3u);  // The first of them, and one of the 256 that follow.
}

TEST(PeerCallsTest, WhenThereAreManyInAllEachPeerMayHaveFewer) {
  std::vector<std::string> told;
  PeerCalls calls({.of_peer = 100, .in_all = 5, .of_peer_when_full = 1},
                  [&](const std::string& peer) { told.push_back(peer); });
  std::vector<std::unique_ptr<PeerCalls::Call>> open;
  const auto add = [&](const char* peer) { open.push_back(std::make_unique<PeerCalls::Call>(calls, peer)); };
  for (int i = 0; i < 4; ++i) add("a");
  add("b");
  EXPECT_FALSE(calls.IsFull());
  add("c");
  EXPECT_TRUE(calls.IsFull());
  EXPECT_TRUE(told.empty());  // Its only one.
  add("c");
  EXPECT_EQ(told, std::vector<std::string>{"c"});
  open.clear();
  EXPECT_FALSE(calls.IsFull());
}

}  // namespace
}  // namespace attendant
