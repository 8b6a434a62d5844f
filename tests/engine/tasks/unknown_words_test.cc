#include "engine/tasks/unknown_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine/tasks/shipped_model.h"
#include "tests/engine/tasks/word_tokenizer.h"

namespace attendant {
namespace {

using testing::ElementsAre;

const std::vector<std::string>& Words() {
  static const auto* words = new std::vector<std::string>{"I", "know", "Ich", "kenne", "."};
  return *words;
}

TEST(SourceSurfacesTest, UnknownTokensStandWithTheirText) {
  const WordTokenizer tokenizer(Words());
  const std::string source = "I know Zyx .";
  EXPECT_THAT(SourceSurfaces(source, tokenizer.Encode(source), tokenizer),
              ElementsAre("▁I", "▁know", "▁Zyx", "▁."));
}

TEST(SourceSurfacesTest, UnknownAtTheEndsAndSeveralTogether) {
  const WordTokenizer tokenizer(Words());
  const std::string source = "Zyx know Abc Def";
  EXPECT_THAT(SourceSurfaces(source, tokenizer.Encode(source), tokenizer),
              ElementsAre("Zyx", "▁know", "▁Abc Def", ""));
}

TEST(SourceSurfacesTest, FindsCharactersThatTheShippedVocabularyLacks) {
  const std::string source = "I like 龘 very much.";
  std::vector<int32_t> ids = ShippedTokenizer().Encode(source);
  ids.push_back(ShippedTokenizer().eos_id());
  ASSERT_NE(std::find(ids.begin(), ids.end(), ShippedTokenizer().unk_id()), ids.end());
  EXPECT_THAT(SourceSurfaces(source, ids, ShippedTokenizer()), testing::Contains(testing::HasSubstr("龘")));
}

TEST(ReplaceUnknownsTest, TakesTheMostAttendedSourceTokenButNotTheEndToken) {
  const WordTokenizer tokenizer(Words());
  Hypothesis hypothesis;
  hypothesis.tokens = {4, 1, 5};
  hypothesis.attention = {{1, 0, 0}, {0.1f, 0.3f, 0.6f}, {0, 0, 1}};
  const std::vector<std::string> surfaces = {"▁I", "▁Zyx", "</s>"};
  const std::vector<std::string> pieces = ReplaceUnknowns(hypothesis, surfaces, tokenizer);
  EXPECT_THAT(pieces, ElementsAre("▁Ich", "▁Zyx", "▁kenne"));
  EXPECT_EQ(DecodeWithPieces(hypothesis.tokens, pieces, tokenizer), "Ich Zyx kenne");
}

TEST(DecodeWithPiecesTest, UnknownsAtTheEndsAndGluedToWords) {
  const WordTokenizer tokenizer(Words());
  const std::vector<int32_t> ids = {1, 4, 1};
  EXPECT_EQ(DecodeWithPieces(ids, {"▁Zyx", "▁Ich", "!"}, tokenizer), "Zyx Ich!");
}

}  // namespace
}  // namespace attendant
