#include "engine/tasks/text_preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine/tasks/shipped_model.h"
#include "tests/engine/tasks/word_tokenizer.h"

namespace attendant {
namespace {

using Split = TranslationOptions::Split;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string Glue(const std::vector<Sentence>& sentences) {
  std::string text;
  for (const Sentence& sentence : sentences) text += sentence.leading + sentence.text + sentence.trailing;
  return text;
}

std::string Glue(const PreparedText& prepared) {
  std::string text;
  for (const PreparedSentence& s : prepared.sentences) text += s.leading + s.source + s.trailing;
  return text;
}

PreparedText Prepare(const std::string& text, const Tokenizer& tokenizer, int32_t max_source_tokens) {
  auto prepared = PrepareText(text, Split::kSentences,
                              {.tokenizer = tokenizer,
                               .locale = "en",
                               .max_source_tokens = max_source_tokens,
                               .max_sentences = 1000});
  EXPECT_TRUE(prepared.ok()) << prepared.status();
  return *std::move(prepared);
}

TEST(SplitLinesTest, KeepsEveryByte) {
  for (const char* text :
       {"", "a", " a ", "a\nb", "\n\n a \r\n\t b\n\n", "\n", "  ", "a\u2028b", "a\n \n b "}) {
    EXPECT_EQ(Glue(SplitLines(text)), text);
  }
}

TEST(SplitLinesTest, SplitsAtLineBreaksOnly) {
  const std::vector<Sentence> lines = SplitLines(" One. Two. \r\n\n  Three.\n");
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0].leading, " ");
  EXPECT_EQ(lines[0].text, "One. Two.");
  EXPECT_EQ(lines[0].trailing, " \r\n\n  ");
  EXPECT_EQ(lines[1].text, "Three.");
  EXPECT_EQ(lines[1].trailing, "\n");
}

TEST(PrepareTextTest, EndsEachSentenceWithTheEndToken) {
  const PreparedText prepared = Prepare("Hello. How are you?\nFine.", ShippedTokenizer(), 512);
  ASSERT_THAT(prepared.sentences, SizeIs(3));
  for (const PreparedSentence& sentence : prepared.sentences) {
    std::vector<int32_t> ids = ShippedTokenizer().Encode(sentence.source);
    ids.push_back(ShippedTokenizer().eos_id());
    EXPECT_EQ(sentence.ids, ids);
  }
  EXPECT_EQ(Glue(prepared), "Hello. How are you?\nFine.");
  EXPECT_EQ(prepared.halved_sentences, 0);
}

TEST(PrepareTextTest, WhiteSpaceHasNoSentences) {
  for (const char* text : {"", " ", "\n \t\n"}) {
    const PreparedText prepared = Prepare(text, ShippedTokenizer(), 512);
    EXPECT_THAT(prepared.sentences, SizeIs(0));
    EXPECT_EQ(prepared.text, text);
  }
}

TEST(PrepareTextTest, CountsReplacementsOfInvalidUtf8) {
  const PreparedText prepared = Prepare("a\xFF b\xC3 c", ShippedTokenizer(), 512);
  EXPECT_EQ(prepared.replacement_characters, 2);
  EXPECT_EQ(prepared.text, "a\uFFFD b\uFFFD c");
  EXPECT_EQ(Prepare("a\uFFFD", ShippedTokenizer(), 512).replacement_characters, 0);
}

TEST(PrepareTextTest, HalvesOnlyBeyondTheModelsPositions) {
  const WordTokenizer tokenizer({"w"});
  std::string text;
  for (int words = 1; words <= 12; ++words) {
    text += words == 1 ? "w" : " w";
    const PreparedText prepared = Prepare(text, tokenizer, 9);  // Eight words and the end token.
    EXPECT_EQ(prepared.halved_sentences, words > 8 ? 1 : 0) << words;
    EXPECT_EQ(prepared.sentences.size(), words > 8 ? 2u : 1u) << words;
    EXPECT_EQ(Glue(prepared), text);
    for (const PreparedSentence& sentence : prepared.sentences) {
      EXPECT_LE(sentence.ids.size(), 9u);
      EXPECT_EQ(sentence.was_halved, words > 8);
    }
  }
}

TEST(PrepareTextTest, HalvesAgainAndAgain) {
  std::string text = "\n ";
  for (int i = 0; i < 3000; ++i) text += "alpha beta ";
  const PreparedText prepared = Prepare(text, ShippedTokenizer(), 512);
  EXPECT_EQ(prepared.halved_sentences, 1);
  EXPECT_GT(prepared.sentences.size(), 10u);
  for (const PreparedSentence& sentence : prepared.sentences) EXPECT_LE(sentence.ids.size(), 512u);
  EXPECT_EQ(Glue(prepared), text);
}

// One token per byte.
class ByteTokenizer final : public WordTokenizer {
 public:
  ByteTokenizer() : WordTokenizer({}) {}
  std::vector<int32_t> Encode(std::string_view text) const override {
    return std::vector<int32_t>(text.size(), 1);
  }
};

TEST(PrepareTextTest, HalvesOneEndlessGraphemeClusterBetweenItsCharacters) {
  std::string text = "e";
  for (int i = 0; i < 5000; ++i) text += "\u0301";
  const PreparedText prepared = Prepare(text, ByteTokenizer(), 512);
  EXPECT_EQ(prepared.replacement_characters, 0);
  EXPECT_GE(prepared.sentences.size(), 20u);
  for (const PreparedSentence& sentence : prepared.sentences) {
    EXPECT_LE(sentence.ids.size(), 512u);
    EXPECT_NE(static_cast<unsigned char>(sentence.source[0]) & 0xC0, 0x80) << "cut within a character";
  }
  EXPECT_EQ(Glue(prepared), text);
}

TEST(PrepareTextTest, SingleCharacterBeyondThePositionsIsRefused) {
  const ByteTokenizer tokenizer;
  for (const int32_t positions : {2, 3, 4}) {
    const auto prepared = PrepareText(
        "\u00E9", Split::kSentences,
        {.tokenizer = tokenizer, .locale = "en", .max_source_tokens = positions, .max_sentences = 10});
    EXPECT_EQ(prepared.ok(), positions >= 3) << positions;  // Two bytes and the end token.
  }
}

TEST(PrepareTextTest, LimitsTheSentences) {
  const TextPreparation preparation{
      .tokenizer = ShippedTokenizer(), .locale = "en", .max_source_tokens = 512, .max_sentences = 3};
  EXPECT_TRUE(PrepareText("a\nb", Split::kSentences, preparation).ok());
  EXPECT_TRUE(PrepareText("a\nb\nc", Split::kSentences, preparation).ok());
  const absl::Status status = PrepareText("a\nb\nc\nd", Split::kSentences, preparation).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("more than 3 sentences"));
}

TEST(PrepareTextTest, LanguagePrefixGoesBeforeEachSentence) {
  const WordTokenizer tokenizer({">>deu<<", "One.", "Two."});
  const PreparedText prepared = Prepare("  >>deu<<  One. \nTwo.", tokenizer, 100);
  ASSERT_THAT(prepared.sentences, SizeIs(2));
  EXPECT_EQ(prepared.sentences[0].source, ">>deu<< One.");
  EXPECT_EQ(prepared.sentences[1].source, ">>deu<< Two.");
  EXPECT_THAT(prepared.sentences[1].ids, ElementsAre(2, 4, 0));
  EXPECT_EQ(prepared.sentences[0].trailing, " \n");
}

TEST(TakeLanguagePrefixTest, TakesOnlyTokensOfTheVocabulary) {
  const WordTokenizer tokenizer({">>deu<<", ">>formal<<", "x"});
  EXPECT_EQ(TakeLanguagePrefix(">>deu<< >>formal<< x", tokenizer).tokens, ">>deu<< >>formal<<");
  for (const char* text : {">>fra<< x", ">> deu<< x", ">>deu< x", "x >>deu<<", ">><< x", ">>", ""}) {
    const LanguagePrefix prefix = TakeLanguagePrefix(text, tokenizer);
    EXPECT_EQ(prefix.tokens, "") << text;
    EXPECT_EQ(prefix.rest, text);
  }
}

}  // namespace
}  // namespace attendant
