#include "engine/text/byte_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/engine/text/text_generator.h"

namespace attendant {
namespace {

TEST(ByteTrieTest, AgreesWithAMapOnRandomKeys) {
  std::map<std::string, int32_t> map;
  for (const std::string& line : GenerateLines(3000, 11)) {
    const std::string key = line.substr(0, 6);
    if (!key.empty() && key.find('\0') == std::string::npos)
      map.emplace(key, static_cast<int32_t>(map.size()));
  }
  const ByteTrie trie(std::vector<std::pair<std::string_view, int32_t>>(map.begin(), map.end()));
  for (const std::string& line : GenerateLines(6000, 12)) {
    size_t longest = 0;
    for (size_t length = 1; length <= std::min<size_t>(line.size(), 8); ++length) {
      const auto found = map.find(line.substr(0, length));
      EXPECT_EQ(trie.Find(line.substr(0, length)), found == map.end() ? ByteTrie::kNoValue : found->second);
      if (found != map.end()) longest = length;
    }
    EXPECT_EQ(trie.LongestPrefix(line), longest);
  }
}

// One child less, as many, and one more than what is scanned without a table.
TEST(ByteTrieTest, FindsChildrenOfNarrowAndWideNodes) {
  for (const int num_children : {1, 7, 8, 9, 255}) {
    std::vector<std::string> keys;
    for (int i = 1; i <= num_children; ++i) keys.push_back({'x', static_cast<char>(i)});
    std::vector<std::pair<std::string_view, int32_t>> entries;
    for (size_t i = 0; i < keys.size(); ++i) entries.emplace_back(keys[i], i);
    const ByteTrie trie(entries);
    for (int i = 1; i < 256; ++i) {
      EXPECT_EQ(trie.Find(std::string{'x', static_cast<char>(i)}),
                i <= num_children ? i - 1 : ByteTrie::kNoValue);
    }
    EXPECT_EQ(trie.Find(std::string("x\0", 2)), ByteTrie::kNoValue);
  }
}

TEST(ByteTrieTest, EmptyTrieFindsNothing) {
  const std::vector<std::pair<std::string_view, int32_t>> none;
  for (const ByteTrie& trie : {ByteTrie(), ByteTrie(none)}) {
    EXPECT_EQ(trie.Find("a"), ByteTrie::kNoValue);
    EXPECT_EQ(trie.Find(""), ByteTrie::kNoValue);
    EXPECT_EQ(trie.LongestPrefix("a"), 0u);
  }
}

}  // namespace
}  // namespace attendant
