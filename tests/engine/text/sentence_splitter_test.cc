#include "engine/text/sentence_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/text/utf8.h"
#include "tests/engine/text/text_generator.h"

namespace attendant {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Texts(std::string_view text, std::string_view locale = "en") {
  std::vector<std::string> texts;
  for (const Sentence& sentence : SplitSentences(text, locale)) texts.push_back(sentence.text);
  return texts;
}

std::string Rejoined(const std::vector<Sentence>& sentences) {
  std::string text;
  for (const Sentence& sentence : sentences) text += sentence.leading + sentence.text + sentence.trailing;
  return text;
}

TEST(SentenceSplitterTest, SplitsAtSentenceEnds) {
  EXPECT_THAT(Texts("One. Two! Three? Four"), ElementsAre("One.", "Two!", "Three?", "Four"));
  EXPECT_THAT(Texts("第一句。第二句！", "zh"), ElementsAre("第一句。", "第二句！"));
  EXPECT_THAT(Texts("كيف حالك؟ أنا بخير.", "ar"), ElementsAre("كيف حالك؟", "أنا بخير."));
}

TEST(SentenceSplitterTest, AbbreviationsOfTheLocaleDoNotEndASentence) {
  EXPECT_THAT(Texts("Mr. Smith met Dr. Jones. They talked."),
              ElementsAre("Mr. Smith met Dr. Jones.", "They talked."));
  EXPECT_THAT(Texts("Das ist z. B. Herr Nr. Eins. Gut.", "de"),
              ElementsAre("Das ist z. B. Herr Nr. Eins.", "Gut."));
  EXPECT_THAT(Texts("Mr. Smith left.", ""), ElementsAre("Mr.", "Smith left."));
}

TEST(SentenceSplitterTest, LineBreaksAlwaysSplit) {
  EXPECT_THAT(Texts("one\ntwo\r\nthree\rfour\u2028five\u2029six\u0085seven\veight\fnine"),
              ElementsAre("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"));
  EXPECT_THAT(Texts("Mr.\nSmith"), ElementsAre("Mr.", "Smith"));
}

TEST(SentenceSplitterTest, WhiteSpaceStaysWithTheSentenceBeforeIt) {
  const std::vector<Sentence> sentences = SplitSentences(" \n One.  \n\n Two. ", "en");
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(sentences[0].leading, " \n ");
  EXPECT_EQ(sentences[0].text, "One.");
  EXPECT_EQ(sentences[0].trailing, "  \n\n ");
  EXPECT_EQ(sentences[1].leading, "");
  EXPECT_EQ(sentences[1].text, "Two.");
  EXPECT_EQ(sentences[1].trailing, " ");
}

TEST(SentenceSplitterTest, EmptyTextHasNoSentencesAndBlankTextAnEmptyOne) {
  EXPECT_THAT(SplitSentences("", "en"), IsEmpty());
  const std::vector<Sentence> blank = SplitSentences(" \n\t ", "en");
  ASSERT_EQ(blank.size(), 1u);
  EXPECT_EQ(blank[0].leading, " \n\t ");
  EXPECT_EQ(blank[0].text, "");
}

TEST(SentenceSplitterTest, SentencesRejoinToTheText) {
  const std::vector<std::string> lines = GenerateLines(3000, 3);
  for (size_t i = 0; i + 2 < lines.size(); i += 3) {
    const std::string text = lines[i] + ". " + lines[i + 1] + "\n" + lines[i + 2];
    const std::vector<Sentence> sentences = SplitSentences(text, "de");
    EXPECT_EQ(Rejoined(sentences), ReplaceInvalidUtf8(text));
    for (size_t j = 1; j < sentences.size(); ++j) {
      EXPECT_NE(sentences[j].text, "");
      EXPECT_EQ(sentences[j].leading, "");
    }
  }
}

TEST(SentenceSplitterTest, InvalidUtf8BecomesReplacementCharacters) {
  EXPECT_THAT(Texts("a\xFF b. C\xC3"), ElementsAre("a\uFFFD b.", "C\uFFFD"));
}

TEST(SentenceSplitterTest, UnknownLocalesFallBack) {
  EXPECT_THAT(Texts("One. Two.", "xx-nonsense-!!"), ElementsAre("One.", "Two."));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(Texts("One. Two.", absl::StrCat("x", i)).size(), 2u);
}

// Any worse than linear time would take hours here.
TEST(SentenceSplitterTest, HardTextsTakeLinearTime) {
  std::string marks, abbreviations, breaks;
  for (int i = 0; i < 100000; ++i) {
    marks += "\u0301";
    abbreviations += "Mr. ";
    breaks += "\n";
  }
  for (const std::string& text :
       {"a" + marks + ". B.", abbreviations, breaks + "a", std::string(1000000, '.'),
        std::string(1000000, ' '), std::string(1000000, 'a')}) {
    EXPECT_EQ(Rejoined(SplitSentences(text, "en")), text);
    const Halves halves = HalveSentence(text);
    EXPECT_EQ(halves.left + halves.right, text);
  }
}

TEST(SentenceSplitterTest, ThreadsMaySplitAtTheSameTime) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 100; ++j)
        EXPECT_EQ(Texts("Mr. Smith. Two.", j % 2 == 0 ? "en" : "fr").back(), "Two.");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

struct HalvingCase {
  std::string left;
  std::string right;
};

TEST(HalveSentenceTest, CutsAtTheMostSensiblePlaceNearTheMiddle) {
  const HalvingCase cases[] = {
      {"one two three, four; ", "five six seven, eight nine"},
      {"one two (three four) ", "five six seven"},
      {"one two three \u2014", "four five six"},
      {"one two three, ", "four five six"},
      {"one two ", "three four"},
      {"a; bcd efg hij ", "klm nop qrs tuv"},      // The mark is too far from the middle.
      {"at 12:30 and 1,5 ", "to go f(x)g there"},  // Marks without a space after them.
      {"我们今天去学校，", "他们明天去公园。"},
      {"abc", "def"},
  };
  for (const HalvingCase& expected : cases) {
    const Halves halves = HalveSentence(expected.left + expected.right);
    EXPECT_EQ(halves.left, expected.left);
    EXPECT_EQ(halves.right, expected.right);
  }
}

TEST(HalveSentenceTest, KeepsGraphemeClustersWhole) {
  const std::string family = "\U0001F468\u200D\U0001F469\u200D\U0001F467";
  const Halves halves = HalveSentence("a" + family);
  EXPECT_EQ(halves.left, "a");
  EXPECT_EQ(halves.right, family);
  EXPECT_EQ(HalveSentence(family).left, family);
  EXPECT_EQ(HalveSentence(family).right, "");
}

TEST(HalveSentenceTest, HalvesAreNotEmptyAndMakeTheText) {
  for (const std::string& line : GenerateLines(3000, 5)) {
    const std::string text = ReplaceInvalidUtf8(line) + "ab";
    const Halves halves = HalveSentence(text);
    EXPECT_EQ(halves.left + halves.right, text);
    EXPECT_NE(halves.left, "");
    EXPECT_NE(halves.right, "");
    EXPECT_TRUE(IsValidUtf8(halves.left));
  }
  EXPECT_EQ(HalveSentence("").left, "");
}

}  // namespace
}  // namespace attendant
