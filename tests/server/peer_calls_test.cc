#include "server/peer_calls.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace attendant {
namespace {

TEST(PeerCallsTest, TellsWhoHasMoreThanTheLimit) {
  std::vector<std::string> told;
  PeerCalls calls(3, [&](const std::string& peer) { told.push_back(peer); });
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

}  // namespace
}  // namespace attendant
