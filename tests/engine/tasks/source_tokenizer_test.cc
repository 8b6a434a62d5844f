#include "engine/tasks/source_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine/tasks/shipped_model.h"

namespace attendant {
namespace {

using testing::Each;

class SourceTokenizerTest : public testing::Test {
 protected:
  // Of the test that ends before what it points to.
  std::unique_ptr<SequenceTokenizer> tokenizer_ =
      SourceTokenizer(std::shared_ptr<const Tokenizer>(std::shared_ptr<void>(), &ShippedTokenizer()));
};

TEST_F(SourceTokenizerTest, EndTokenClosesTheIdsOfTheText) {
  const auto encoding = tokenizer_->Encode("Good morning.", {});
  ASSERT_TRUE(encoding.ok()) << encoding.status();
  std::vector<int32_t> expected = ShippedTokenizer().Encode("Good morning.");
  expected.push_back(ShippedTokenizer().eos_id());
  EXPECT_EQ(encoding->ids, expected);
  EXPECT_THAT(encoding->type_ids, Each(0));
  EXPECT_EQ(encoding->type_ids.size(), expected.size());
  EXPECT_EQ(encoding->spans.size(), expected.size());
  EXPECT_EQ(encoding->words.back(), Encoding::kNoWord);
  EXPECT_EQ(encoding->words.front(), 0);
  EXPECT_EQ(encoding->sequence.back(), -1);
  EXPECT_EQ(encoding->sequence.front(), 0);
  EXPECT_FALSE(encoding->truncated);
  const auto bare = tokenizer_->Encode("Good morning.", {.add_special_tokens = false});
  EXPECT_EQ(bare->ids, ShippedTokenizer().Encode("Good morning."));
  EXPECT_EQ(tokenizer_->Encode("", {})->ids, std::vector<int32_t>{ShippedTokenizer().eos_id()});
  EXPECT_EQ(tokenizer_->num_special_tokens(), 1);
  EXPECT_EQ(tokenizer_->end_id(), ShippedTokenizer().vocab_size());
}

TEST_F(SourceTokenizerTest, TruncationKeepsTheEndToken) {
  const std::vector<int32_t> whole = tokenizer_->Encode("Good morning.", {})->ids;
  const auto limit = static_cast<int32_t>(whole.size());
  for (const int32_t max_tokens : {limit - 1, limit, limit + 1}) {
    const auto encoding = tokenizer_->Encode("Good morning.", {.max_tokens = max_tokens});
    ASSERT_TRUE(encoding.ok()) << encoding.status();
    std::vector<int32_t> expected = whole;
    if (max_tokens < limit) expected.erase(expected.end() - 2);
    EXPECT_EQ(encoding->ids, expected);
    EXPECT_EQ(encoding->truncated, max_tokens < limit);
  }
  EXPECT_EQ(tokenizer_->Encode("Good", {.max_tokens = 1})->ids, std::vector<int32_t>{whole.back()});
}

TEST_F(SourceTokenizerTest, LongTextIsRefused) {
  constexpr size_t kMax = SequenceTokenizer::kMaxTextBytes;
  for (const size_t bytes : {kMax - 1, kMax, kMax + 1}) {
    const auto encoding = tokenizer_->Encode(std::string(bytes, ' '), {});
    EXPECT_EQ(encoding.ok(), bytes <= kMax) << bytes;
    EXPECT_EQ(absl::IsInvalidArgument(encoding.status()), bytes > kMax) << bytes;
  }
}

}  // namespace
}  // namespace attendant
