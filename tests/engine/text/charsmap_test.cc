#include "engine/text/charsmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace attendant {
namespace {

using ::testing::HasSubstr;

// A double array made by hand: 1,024 units, of which the root and those that Put sets are in use.
class HandMadeTrie {
 public:
  static constexpr uint32_t kHasLeaf = 1u << 8;

  static uint32_t Unit(char label, uint32_t offset, uint32_t flags = 0) {
    return static_cast<uint8_t>(label) | flags | (offset << 10);
  }

  void Put(uint32_t index, uint32_t unit) { units_[index] = unit; }

  std::string Blob(const std::string& replacements) const {
    std::string blob;
    Append(static_cast<uint32_t>(units_.size() * 4), &blob);
    for (const uint32_t unit : units_) Append(unit, &blob);
    return blob + replacements;
  }

 private:
  static void Append(uint32_t value, std::string* blob) {
    for (int i = 0; i < 4; ++i) blob->push_back(static_cast<char>(value >> (8 * i)));
  }

  // Units that are not in use look like leaves, so that no label is theirs.
  std::vector<uint32_t> units_ = std::vector<uint32_t>(1024, 0x80000000u);
};

// "a" becomes what stands at value_of_a, "ab" what stands at 0.
HandMadeTrie TwoRules(uint32_t value_of_a) {
  HandMadeTrie trie;
  trie.Put(0, HandMadeTrie::Unit('\0', 256));
  const uint32_t a = 256 ^ 'a';
  trie.Put(a, HandMadeTrie::Unit('a', a ^ 512, HandMadeTrie::kHasLeaf));
  trie.Put(512, 0x80000000u | value_of_a);
  const uint32_t ab = 512 ^ 'b';
  trie.Put(ab, HandMadeTrie::Unit('b', ab ^ 768, HandMadeTrie::kHasLeaf));
  trie.Put(768, 0x80000000u);
  return trie;
}

const std::string kReplacements("XY\0\xC3\xA4\0", 6);

void ExpectCharsmapRefused(const std::string& blob, const std::string& reason) {
  const auto map = Charsmap::Parse(blob);
  EXPECT_EQ(map.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(map.status().message()), HasSubstr(reason));
}

TEST(CharsmapTest, LongestRuleWins) {
  const auto map = Charsmap::Parse(TwoRules(3).Blob(kReplacements));
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->LongestMatch("abc").length_bytes, 2u);
  EXPECT_EQ(map->LongestMatch("abc").replacement, "XY");
  EXPECT_EQ(map->LongestMatch("ac").length_bytes, 1u);
  EXPECT_EQ(map->LongestMatch("ac").replacement, "\u00E4");
  EXPECT_EQ(map->LongestMatch("b").length_bytes, 0u);
  EXPECT_EQ(map->LongestMatch("").length_bytes, 0u);
}

TEST(CharsmapTest, EmptyBlobHasNoRules) {
  EXPECT_EQ(Charsmap::Parse("")->LongestMatch("a").length_bytes, 0u);
}

TEST(CharsmapTest, ValuesMustPointToACharacterOfTheReplacements) {
  EXPECT_TRUE(Charsmap::Parse(TwoRules(5).Blob(kReplacements)).ok());
  ExpectCharsmapRefused(TwoRules(6).Blob(kReplacements), "points to offset 6 of 6 bytes");
  ExpectCharsmapRefused(TwoRules(0x7FFFFFFF).Blob(kReplacements), "points to offset");
  ExpectCharsmapRefused(TwoRules(4).Blob(kReplacements), "points into a character");
}

TEST(CharsmapTest, ReplacementsMustBeZeroEndedUtf8) {
  ExpectCharsmapRefused(TwoRules(0).Blob("XY"), "zero-ended UTF-8");
  ExpectCharsmapRefused(TwoRules(0).Blob(std::string("\xC3\0", 2)), "zero-ended UTF-8");
}

TEST(CharsmapTest, CyclesAreRefused) {
  HandMadeTrie trie = TwoRules(0);
  trie.Put(512 ^ 'b', HandMadeTrie::Unit('b', 512 ^ 'b' ^ 256));  // "ab" leads to where the root leads to.
  ExpectCharsmapRefused(trie.Blob(kReplacements), "a cycle");
}

TEST(CharsmapTest, LeavesOutsideTheArrayAreRefused) {
  HandMadeTrie trie = TwoRules(0);
  trie.Put(512 ^ 'b', HandMadeTrie::Unit('b', 0x1FFFFF, HandMadeTrie::kHasLeaf));
  ExpectCharsmapRefused(trie.Blob(kReplacements), "points to offset");
}

TEST(CharsmapTest, LyingHeadersAreRefused) {
  const std::string blob = TwoRules(0).Blob(kReplacements);
  ExpectCharsmapRefused(blob.substr(0, 3), "shorter than its header");
  ExpectCharsmapRefused(blob.substr(0, 4 + 4096), "claims a trie of 4096 bytes; 4096 are left");
  for (const uint8_t size : {0, 1, 2, 3, 5}) {
    std::string lying = blob;
    lying[0] = static_cast<char>(size);
    lying[1] = 0;
    ExpectCharsmapRefused(lying, "claims a trie");
  }
  ExpectCharsmapRefused("\xFF\xFF\xFF\xFF" + blob.substr(4), "claims a trie of 4294967295");
}

}  // namespace
}  // namespace attendant
