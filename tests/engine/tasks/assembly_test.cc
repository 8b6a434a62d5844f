#include "engine/tasks/assembly.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine/tasks/shipped_model.h"
#include "tests/engine/tasks/word_tokenizer.h"

namespace attendant {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AssembleSentenceTest : public testing::Test {
 protected:
  AssembleSentenceTest() {
    sentence_.source = "Hello World";
    sentence_.ids = {2, 3, 0};
    sentence_.leading = " ";
    sentence_.trailing = "\n";
    Hypothesis best;
    best.tokens = {4, 5};
    best.token_log_probs = {-0.5f, -0.25f, -0.125f};
    best.score = -0.3f;
    best.attention = {{1, 0, 0}, {0, 1, 0}};
    hypotheses_ = {best};
  }
  SentenceTranslation Assemble(bool is_last) {
    return AssembleSentence(sentence_, hypotheses_,
                            {.tokenizer = tokenizer_, .options = options_, .is_last = is_last});
  }

  const WordTokenizer tokenizer_{{"Hello", "World", "Hallo", "Welt", "你好。"}};
  TranslationOptions options_;
  PreparedSentence sentence_;
  std::vector<Hypothesis> hypotheses_;
};

TEST_F(AssembleSentenceTest, ReportsWhatWasAskedForAndNothingElse) {
  const SentenceTranslation plain = Assemble(/*is_last=*/true);
  EXPECT_EQ(plain.leading, " ");
  EXPECT_EQ(plain.trailing, "\n");
  EXPECT_EQ(plain.source_length_tokens, 3);
  ASSERT_EQ(plain.hypotheses.size(), 1u);
  EXPECT_EQ(plain.hypotheses[0].text, "Hallo Welt");
  EXPECT_EQ(plain.hypotheses[0].score, -0.3f);
  EXPECT_THAT(plain.hypotheses[0].token_ids, ElementsAre(4, 5));
  EXPECT_THAT(plain.hypotheses[0].tokens, IsEmpty());
  EXPECT_THAT(plain.hypotheses[0].token_scores, IsEmpty());
  EXPECT_THAT(plain.hypotheses[0].alignment, IsEmpty());
  EXPECT_THAT(plain.source_tokens, IsEmpty());

  options_.return_token_scores = true;
  options_.return_alignment = true;
  const SentenceTranslation full = Assemble(/*is_last=*/true);
  EXPECT_THAT(full.hypotheses[0].tokens, ElementsAre("▁Hallo", "▁Welt"));
  EXPECT_THAT(full.hypotheses[0].token_scores, ElementsAre(-0.5f, -0.25f, -0.125f));
  EXPECT_EQ(full.hypotheses[0].alignment.size(), 2u);
  EXPECT_THAT(full.source_tokens, ElementsAre("▁Hello", "▁World", "</s>"));
}

TEST_F(AssembleSentenceTest, SentenceWithoutTokensIsItsOwnTranslation) {
  sentence_.ids = {};
  hypotheses_ = {};
  EXPECT_EQ(Assemble(/*is_last=*/true).hypotheses[0].text, "Hello World");
}

TEST_F(AssembleSentenceTest, SpaceComesInWhereTheSourceScriptHasNone) {
  sentence_.source = "你好。";
  sentence_.trailing = "";
  EXPECT_EQ(Assemble(/*is_last=*/false).trailing, " ");
  EXPECT_EQ(Assemble(/*is_last=*/true).trailing, "");
  hypotheses_[0].tokens = {6};  // Into Chinese.
  EXPECT_EQ(Assemble(/*is_last=*/false).trailing, "");
  sentence_.source = "Hello";  // A word that was cut has no space either.
  hypotheses_[0].tokens = {4};
  EXPECT_EQ(Assemble(/*is_last=*/false).trailing, "");
}

TEST_F(AssembleSentenceTest, JoinKeepsTheWhiteSpace) {
  const SentenceTranslation one = Assemble(/*is_last=*/false);
  EXPECT_EQ(JoinSentences({one, one}), " Hallo Welt\n Hallo Welt\n");
  EXPECT_EQ(JoinSentences({}), "");
}

}  // namespace
}  // namespace attendant
