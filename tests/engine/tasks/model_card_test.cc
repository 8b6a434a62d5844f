#include "engine/tasks/model_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

std::string Card(const std::string& front_matter) {
  return absl::StrCat("---\n", front_matter, "---\n# A model\n\ntags: [feature-extraction]\n");
}

std::vector<std::string> TagsOf(const std::string& front_matter) {
  const auto card = ParseModelCard(Card(front_matter), "README.md");
  EXPECT_TRUE(card.ok()) << card.status() << " for " << front_matter;
  return card.ok() ? card->tags : std::vector<std::string>();
}

std::string ErrorOf(const std::string& front_matter) {
  const auto card = ParseModelCard(Card(front_matter), "README.md");
  EXPECT_EQ(card.status().code(), absl::StatusCode::kDataLoss) << front_matter;
  return std::string(card.status().message());
}

TEST(ModelCardTest, ReadsBothStylesOfList) {
  EXPECT_THAT(TagsOf("tags:\n- translation\n- feature-extraction\n"),
              ElementsAre("translation", "feature-extraction"));
  EXPECT_THAT(
      TagsOf("tags:  # these\n\n  - a b   # one\n  # more\n  - 'c: #d'\n  - \"e, f\"\nlicense: mit\n"),
      ElementsAre("a b", "c: #d", "e, f"));
  EXPECT_THAT(TagsOf("tags: [a, 'b, c', \"d\" , e:f,]  # five\n"), ElementsAre("a", "b, c", "d", "e:f"));
  EXPECT_THAT(TagsOf("tags : [a]\n"), ElementsAre("a"));
  EXPECT_THAT(TagsOf("tags: []\n"), IsEmpty());
  EXPECT_THAT(TagsOf("tags:\nlicense: mit\n"), IsEmpty());
}

TEST(ModelCardTest, ReadsThePipelineTag) {
  for (const char* text : {"feature-extraction", "'feature-extraction'", "\"feature-extraction\" # it"}) {
    const auto card = ParseModelCard(Card(absl::StrCat("pipeline_tag:  ", text, "\n")), "README.md");
    ASSERT_TRUE(card.ok()) << card.status();
    EXPECT_EQ(card->pipeline_tag, "feature-extraction");
  }
}

// As opus-mt's and sentence-transformers' cards have them.
TEST(ModelCardTest, SkipsAllOtherKeys) {
  EXPECT_THAT(TagsOf("language: \n- en\n- de\n\ntags:\n- translation\n\nlicense: apache-2.0\n"),
              ElementsAre("translation"));
  EXPECT_THAT(TagsOf("license: mit\ndescription: >\n  one\n  tags: [x]\n   - y\n\nmodel-index:\n"
                     "- name: 'it''s'\n  results:\n  - task: {type: z, tags: [w]}\ntags: [a]\n"
                     "widget:\n- source_sentence: \"long\n    tags:\n    - b\"\nnames: {\"x\": [1]}\n"
                     "title: \"a: b\" # c\nlanguage: [en, de]\n"),
              ElementsAre("a"));
}

TEST(ModelCardTest, LinesMayEndInCarriageReturns) {
  const auto card = ParseModelCard("---\r\ntags:\r\n- a\r\n---\r\n", "README.md");
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_THAT(card->tags, ElementsAre("a"));
}

TEST(ModelCardTest, AByteOrderMarkAndSpacesAfterTheDashesAreSkipped) {
  const auto card = ParseModelCard("\xEF\xBB\xBF--- \ntags: [a]\n---\t\n", "README.md");
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_THAT(card->tags, ElementsAre("a"));
}

TEST(ModelCardTest, ACommentWithinBracketsIsNotGuessedAt) {
  EXPECT_THAT(ErrorOf("tags: [a #b, c]\n"), HasSubstr("line 2"));
  EXPECT_THAT(TagsOf("tags: ['a #b', c]\n"), ElementsAre("a #b", "c"));
}

TEST(ModelCardTest, TextWithoutFrontMatterSaysNothing) {
  for (const char* text : {"", "# A model\n", "tags: [a]\n", "\n---\ntags: [a]\n---\n",
                           "----\ntags: [a]\n---\n", " ---\ntags: [a]\n---\n"}) {
    const auto card = ParseModelCard(text, "README.md");
    ASSERT_TRUE(card.ok()) << card.status();
    EXPECT_THAT(card->tags, IsEmpty()) << text;
  }
}

TEST(ModelCardTest, FrontMatterMustEnd) {
  for (const char* text :
       {"---", "---\n", "---\ntags: [a]\n", "---\ntags: [a]\n----\n", "---\ntags: [a]\n ---"}) {
    EXPECT_FALSE(ParseModelCard(text, "README.md").ok()) << text;
  }
  EXPECT_TRUE(ParseModelCard("---\ntags: [a]\n---", "README.md").ok());
}

// What YAML would read otherwise, or not at all, is not guessed at.
TEST(ModelCardTest, WhatItDoesNotKnowIsAnErrorThatNamesTheLine) {
  EXPECT_THAT(ErrorOf("license: mit\ntags: a\n"),
              AllOf(HasSubstr("README.md: line 3: tags"), HasSubstr("list")));
  for (const char* tags : {"tags: [a\n",
                           "tags: [a,\n  b]\n",
                           "tags: [a] b\n",
                           "tags: [[a]]\n",
                           "tags: ['a'b]\n",
                           "tags: [a b: c]\n",
                           "tags: ['a]\n",
                           "tags: [a, , b]\n",
                           "tags: [\"\\u0061\"]\n",
                           "tags: {a: b}\n",
                           "tags: |\n  - a\n",
                           "tags: &x [a]\n",
                           "tags: *x\n",
                           "tags: ~\n",
                           "tags:\n- a\n  b\n",
                           "tags:\n- a: b\n",
                           "tags:\n- - a\n",
                           "tags:\n  - a\n- b\n",
                           "tags:\n- a\n  - b\n",
                           "tags:\n- 'a' b\n",
                           "tags:\n- !!str a\n",
                           "tags:\n-\n",
                           "tags:\n  a\n",
                           "tags:\n-a\n",
                           "tags: [a]\ntags: [b]\n",
                           "tags: [a]\n- b\n",
                           "tags: [a]\n  b\n",
                           "pipeline_tag:\n",
                           "pipeline_tag: [a]\n",
                           "pipeline_tag: a\npipeline_tag: b\n",
                           "pipeline_tag: a\n  b\n",
                           "pipeline_tag: |\n  a\n",
                           "x: \"\ntags: [a]\n",
                           "x: '\ntags: [a]\n",
                           "x: [\ntags: [a]\n]\n",
                           "x: {\ntags: [a]\n",
                           "no key\n",
                           "tags:[a]\n",
                           "? tags\n",
                           ": a\n",
                           "\t: a\n",
                           "\ttags: [a]\n",
                           "\"tags\": [a]\n",
                           "&x tags: [a]\n",
                           "!!str tags: [a]\n"}) {
    EXPECT_THAT(ErrorOf(tags), HasSubstr("README.md: line ")) << tags;
  }
}

// A model's directory with a card.
class CardOfModelTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::path(testing::TempDir()) / "attendant-model-card";
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }
  absl::Status Check(const std::string& text) const {
    std::ofstream(dir_ / "README.md") << text;
    return CheckCardSaysEmbedding(dir_);
  }

  fs::path dir_;
};

TEST_F(CardOfModelTest, SaysItByATagOrThePipelineTag) {
  for (const char* word : {"feature-extraction", "sentence-similarity"}) {
    EXPECT_TRUE(Check(Card(absl::StrCat("tags:\n- translation\n- ", word, "\n"))).ok());
    EXPECT_TRUE(Check(Card(absl::StrCat("pipeline_tag: ", word, "\n"))).ok());
  }
}

TEST_F(CardOfModelTest, OtherwiseTheErrorTellsWhatToWriteWhere) {
  const auto is_refusal = [](const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("README.md"), HasSubstr("tags: [feature-extraction]")));
  };
  is_refusal(CheckCardSaysEmbedding(dir_));
  is_refusal(Check(""));
  is_refusal(Check("# feature-extraction\n"));
  is_refusal(Check(Card("tags:\n- translation\n- Feature-Extraction\npipeline_tag: translation\n")));
  const absl::Status broken = Check(Card("tags: feature-extraction\n"));
  is_refusal(broken);
  EXPECT_THAT(std::string(broken.message()), HasSubstr("README.md: line 2"));
  fs::remove(dir_ / "README.md");
  fs::create_directories(dir_ / "README.md");
  is_refusal(CheckCardSaysEmbedding(dir_));
}

TEST_F(CardOfModelTest, TheFrontMatterMustEndInTheFirstMiB) {
  constexpr size_t kLimit = 1 << 20;
  const std::string head = "---\ntags: [feature-extraction]\n#", tail = "\n---\n";
  for (const int more : {-1, 0, 1}) {
    // The last line's own end may lie beyond.
    const size_t filler = kLimit + static_cast<size_t>(1 + more) - head.size() - tail.size();
    const absl::Status status = Check(head + std::string(filler, 'x') + tail + "# A model\n");
    EXPECT_EQ(status.ok(), more <= 0) << more << ": " << status;
  }
}

}  // namespace
}  // namespace attendant
