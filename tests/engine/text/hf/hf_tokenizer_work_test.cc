// That the work on a text is near linear in its length, counted, not timed.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "tests/engine/text/hf/hf_testing.h"
#include "tests/engine/text/hf/work_counter.h"

namespace attendant::hf {
namespace {

uint64_t WorkOn(const TextTokenizer& tokenizer, const std::string& text) {
  const uint64_t before = WorkSoFar();
  // A regular expression that takes too long is an error: ICU counts its own work.
  EXPECT_TRUE(tokenizer.Encode(text, {}).ok());
  return WorkSoFar() - before;
}

std::string Repeated(std::string_view unit, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

class HfTokenizerWorkTest : public testing::TestWithParam<const char*> {};

TEST_P(HfTokenizerWorkTest, TwiceTheTextIsAboutTwiceTheWork) {
  const auto tokenizer = GoldenTokenizer(GetParam());
  ASSERT_NE(tokenizer, nullptr);
  constexpr size_t kBytes = 1 << 15;
  for (const char* unit :
       {"a", "ab", "中", "\u0301\u0323", " ", "\n", " [MASK]", "<mask> ", "'", "😀", "\r\n \t"}) {
    const uint64_t once = WorkOn(*tokenizer, "e" + Repeated(unit, kBytes));
    const uint64_t twice = WorkOn(*tokenizer, "e" + Repeated(unit, 2 * kBytes));
    EXPECT_GE(once, kBytes) << "it looks at each byte";
    // n log n gives 2.13; work that is quadratic gives 4.
    EXPECT_LE(twice, once * 5 / 2) << "\"" << unit << "\"";
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, HfTokenizerWorkTest,
                         testing::Values("albert", "bert-uncased", "bpe-byte-fallback", "clip", "gpt4-split",
                                         "roberta", "xlm-roberta"));

// The counter itself: what is quadratic by memmove and by memchr counts as such.
TEST(WorkCounterTest, SeesWhatTheLibraryMovesAndSearches) {
  const auto work_on = [](size_t bytes) {
    const uint64_t before = WorkSoFar();
    std::string text = "x";
    while (text.size() < bytes) text.insert(0, 1, 'x');
    const uint64_t moved = WorkSoFar();
    for (size_t i = 0; i < bytes; ++i) EXPECT_EQ(text.find('y', i), std::string::npos);
    return std::pair(moved - before, WorkSoFar() - moved);
  };
  const auto once = work_on(1 << 13), twice = work_on(1 << 14);
  EXPECT_GE(twice.first, 3 * once.first);
  EXPECT_GE(twice.second, 3 * once.second);
}

}  // namespace
}  // namespace attendant::hf
