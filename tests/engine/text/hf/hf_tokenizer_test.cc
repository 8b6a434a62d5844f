#include "engine/text/hf/hf_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/engine/text/hf/hf_testing.h"

namespace attendant::hf {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const json kWhitespaceSplit = {{"type", "WhitespaceSplit"}};

absl::Status ParseStatus(const json& document) {
  return ParseTokenizerJson(document.dump(), "tokenizer.json").status();
}

// --- Normalisers and pre-tokenisers.

TEST(HfComponentsTest, PreTokenizersCutAsTheirNamesSay) {
  EXPECT_THAT(Pieces({.pre_tokenizer = {{"type", "BertPreTokenizer"}}}, "Hey, you_2!"),
              ElementsAre("Hey", ",", "you", "_", "2", "!"));
  EXPECT_THAT(Pieces({.pre_tokenizer = kWhitespaceSplit}, " Hey,\tyou "), ElementsAre("Hey,", "you"));
  EXPECT_THAT(Pieces({.pre_tokenizer = {{"type", "Whitespace"}}}, "Hey!! you_2"),
              ElementsAre("Hey", "!!", "you_2"));
  EXPECT_THAT(Pieces({.pre_tokenizer = {{"type", "Digits"}, {"individual_digits", false}}}, "a123b4"),
              ElementsAre("a", "123", "b", "4"));
  EXPECT_THAT(Pieces({.pre_tokenizer = {{"type", "Digits"}, {"individual_digits", true}}}, "a12"),
              ElementsAre("a", "1", "2"));
  EXPECT_THAT(Pieces({.pre_tokenizer = {{"type", "Punctuation"}}}, "a,b"), ElementsAre("a", ",", "b"));
  EXPECT_THAT(Pieces({.pre_tokenizer = {{"type", "CharDelimiterSplit"}, {"delimiter", "é"}}}, "aébéé"),
              ElementsAre("a", "b"));
  EXPECT_THAT(Pieces({.pre_tokenizer = {{"type", "FixedLength"}, {"length", 2}}}, "aébcd"),
              ElementsAre("aé", "bc", "d"));
  EXPECT_THAT(Pieces({.pre_tokenizer = {{"type", "Split"},
                                        {"pattern", {{"String", "b"}}},
                                        {"behavior", "MergedWithPrevious"},
                                        {"invert", false}}},
                     "abab"),
              ElementsAre("ab", "ab"));
  EXPECT_THAT(Pieces({.pre_tokenizer = nullptr}, "a b"), ElementsAre("a b"));
}

TEST(HfComponentsTest, MetaspacePrependsAsItsSchemeSays) {
  const auto tokens = [](const char* scheme) {
    const json added = json::array({{{"content", "#"}, {"normalized", false}}});
    json vocab = {{"?", 0}, {"▁a", 1}, {"a", 2}, {"▁b", 3}, {"b", 4}};
    const auto tokenizer = MustParse(
        Document({.pre_tokenizer = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", scheme}},
                  .added_tokens = added,
                  .model = {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", vocab}}}));
    return MustEncode(*tokenizer, "a b#b").ids;
  };
  EXPECT_THAT(tokens("always"), ElementsAre(1, 3, 5, 3));
  EXPECT_THAT(tokens("first"), ElementsAre(1, 3, 5, 4));
  EXPECT_THAT(tokens("never"), ElementsAre(2, 3, 5, 4));
}

TEST(HfComponentsTest, WhatIsNotSupportedIsRefusedByName) {
  const auto message = [](const Parts& parts) {
    const absl::Status status = ParseStatus(Document(parts));
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(message({.normalizer = {{"type", "Unheard"}}}), HasSubstr("normalizer: type \"Unheard\""));
  EXPECT_THAT(message({.pre_tokenizer = {{"type", "UnicodeScripts"}}}),
              HasSubstr("pre_tokenizer: type \"UnicodeScripts\""));
  EXPECT_THAT(message({.post_processor = {{"type", "Unheard"}}}),
              HasSubstr("post_processor: type \"Unheard\""));
  EXPECT_THAT(message({.model = {{"type", "Unheard"}}}), HasSubstr("model: type \"Unheard\""));
  EXPECT_THAT(message({.normalizer = {{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "x"}}}),
              HasSubstr("an empty pattern"));
  EXPECT_THAT(message({.pre_tokenizer = {{"type", "Split"},
                                         {"pattern", {{"Regex", "\\h"}}},
                                         {"behavior", "Isolated"},
                                         {"invert", false}}}),
              HasSubstr("\\h"));
  EXPECT_THAT(message({.model = {{"type", "BPE"},
                                 {"dropout", 0.1},
                                 {"vocab", json::object()},
                                 {"merges", json::array()}}}),
              HasSubstr("dropout"));
  json document = Document({});
  document["version"] = "2.0";
  EXPECT_THAT(std::string(ParseStatus(document).message()), HasSubstr("version \"2.0\""));
  document = Document({});
  document["truncation"] = {{"max_length", 4}, {"direction", "Up"}};
  EXPECT_THAT(std::string(ParseStatus(document).message()), HasSubstr("truncation: direction \"Up\""));
}

TEST(HfComponentsTest, WhatIsMalformedIsDataLoss) {
  for (const Parts& parts : std::vector<Parts>{
           {.normalizer = 1},
           {.normalizer = {{"type", "Sequence"}}},
           {.normalizer = {{"type", "Precompiled"}, {"precompiled_charsmap", "!"}}},
           {.normalizer = {{"type", "Precompiled"}, {"precompiled_charsmap", "AAAAAA=="}}},
           {.normalizer = {{"type", "BertNormalizer"}}},
           {.pre_tokenizer = {{"type", "Metaspace"}, {"replacement", "ab"}}},
           {.post_processor = {{"type", "TemplateProcessing"},
                               {"single",
                                json::array({json{{"SpecialToken", {{"id", "x"}, {"type_id", 0}}}}})},
                               {"pair", json::array()}}},
           {.post_processor = {{"type", "TemplateProcessing"},
                               {"single", json::array({json{{"Sequence", {{"id", "B"}, {"type_id", 0}}}}})},
                               {"pair", json::array()}}},
           {.post_processor = {{"type", "BertProcessing"}, {"cls", {"x", -1}}, {"sep", {"x", 1}}}},
           {.added_tokens = json::array({1})},
           {.model = nullptr},
           {.model = {{"type", "WordLevel"}, {"vocab", {{"a", -1}}}}},
           {.model = {{"type", "WordLevel"}, {"vocab", {{"a", 1.5}}}}},
           {.model = {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", {"a b"}}}},
           {.model = {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", {"a"}}}},
           {.model = {{"type", "Unigram"}, {"unk_id", 1}, {"vocab", json::parse(R"([["a", 0.0]])")}}},
           {.model = {{"type", "Unigram"}, {"vocab", json::parse(R"([["a", "b"]])")}}}}) {
    const absl::Status status = ParseStatus(Document(parts));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status << "\n" << Document(parts).dump();
  }
}

TEST(HfComponentsTest, TokenIdsAreTakenUpToTheirLimit) {
  constexpr int32_t kMaxId = (1 << 21) - 1;
  for (const int32_t id : {kMaxId - 1, kMaxId, kMaxId + 1}) {
    const json model = {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"a", id}}}};
    EXPECT_EQ(ParseStatus(Document({.model = model})).ok(), id <= kMaxId) << id;
  }
}

TEST(HfComponentsTest, TokensAreTakenUpToTheirLength) {
  for (const size_t length : {size_t{2047}, size_t{2048}, size_t{2049}}) {
    const json model = {
        {"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{std::string(length, 'a'), 0}}}};
    EXPECT_EQ(ParseStatus(Document({.model = model})).ok(), length <= 2048) << length;
  }
}

TEST(HfComponentsTest, SequencesAreTakenUpToTheirLength) {
  for (const size_t length : {size_t{63}, size_t{64}, size_t{65}}) {
    const json steps(length, json{{"type", "Lowercase"}});
    EXPECT_EQ(ParseStatus(Document({.normalizer = {{"type", "Sequence"}, {"normalizers", steps}}})).ok(),
              length <= 64);
  }
}

// --- Models.

std::vector<int32_t> WordPieceIds(int32_t max_chars, std::string_view text) {
  const json model = {{"type", "WordPiece"},
                      {"unk_token", "?"},
                      {"continuing_subword_prefix", "##"},
                      {"max_input_chars_per_word", max_chars},
                      {"vocab", {{"?", 0}, {"a", 1}, {"##b", 2}, {"##bc", 3}, {"é", 4}, {"##é", 5}}}};
  const auto tokenizer = MustParse(Document({.pre_tokenizer = kWhitespaceSplit, .model = model}));
  return MustEncode(*tokenizer, text).ids;
}

TEST(WordPieceTest, TakesTheLongestPieceOrNone) {
  EXPECT_THAT(WordPieceIds(100, "abbc abcb ac b éé"), ElementsAre(1, 2, 3, 1, 3, 2, 0, 0, 4, 5));
}

TEST(WordPieceTest, LongWordsAreUnknown) {
  for (const int length : {4, 5, 6}) {
    std::string word = "é";
    for (int i = 1; i < length; ++i) word += "é";
    EXPECT_EQ(WordPieceIds(5, word).front(), length <= 5 ? 4 : 0) << length;
  }
}

json BpeModel(const json& options) {
  json model = {{"type", "BPE"},
                {"vocab",
                 {{"a", 0},
                  {"b", 1},
                  {"c", 2},
                  {"ab", 3},
                  {"abc", 4},
                  {"bc", 5},
                  {"?", 6},
                  {"<0xC3>", 7},
                  {"<0xA9>", 8}}},
                {"merges", {"b c", "a b", "ab c"}}};
  model.update(options);
  return model;
}

std::vector<int32_t> BpeIds(const json& options, std::string_view text) {
  const auto tokenizer = MustParse(Document({.model = BpeModel(options)}));
  return MustEncode(*tokenizer, text).ids;
}

TEST(BpeTest, MergesTheLowestRankFirst) {
  EXPECT_THAT(BpeIds(json::object(), "abc"), ElementsAre(0, 5));
  EXPECT_THAT(BpeIds(json::object(), "abab"), ElementsAre(3, 3));
  EXPECT_THAT(BpeIds({{"ignore_merges", true}}, "abc"), ElementsAre(4));
}

TEST(BpeTest, UnknownCharactersGoAwayOrBecomeTheUnknownTokenOrBytes) {
  EXPECT_THAT(BpeIds(json::object(), "axb"), ElementsAre(3));
  EXPECT_THAT(BpeIds({{"unk_token", "?"}}, "axyb"), ElementsAre(0, 6, 6, 1));
  EXPECT_THAT(BpeIds({{"unk_token", "?"}, {"fuse_unk", true}}, "axyb"), ElementsAre(0, 6, 1));
  EXPECT_THAT(BpeIds({{"unk_token", "?"}, {"byte_fallback", true}}, "aéñ"), ElementsAre(0, 7, 8, 6));
}

TEST(BpeTest, AnUnknownTokenThatIsMissingIsAnErrorOnlyWhereItIsNeeded) {
  const auto tokenizer = MustParse(Document({.model = BpeModel({{"unk_token", "none"}})}));
  EXPECT_TRUE(tokenizer->Encode("abc", {}).ok());
  EXPECT_EQ(tokenizer->Encode("x", {}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(UnigramTest, TakesTheBestScoreAndJoinsUnknownCharacters) {
  const json model = {
      {"type", "Unigram"},
      {"unk_id", 0},
      {"vocab", json::parse(R"([["?", 0.0], ["a", -1.0], ["b", -1.0], ["ab", -1.5], ["aba", -9.0]])")}};
  const auto tokenizer = MustParse(Document({.model = model}));
  const Encoding encoding = MustEncode(*tokenizer, "abaxyb");
  EXPECT_THAT(encoding.ids, ElementsAre(3, 1, 0, 2));
  EXPECT_EQ(encoding.spans[2], (Encoding::Span{3, 5}));
}

// --- Added tokens.

std::vector<std::string> AddedPieces(const json& token, std::string_view text) {
  return Pieces({.normalizer = {{"type", "Lowercase"}}, .added_tokens = json::array({token})}, text);
}

TEST(AddedTokensTest, TakeWhiteSpaceAsTheySay) {
  EXPECT_THAT(AddedPieces({{"content", "#"}, {"normalized", false}}, "a # b"), ElementsAre("a ", "#", " b"));
  EXPECT_THAT(AddedPieces({{"content", "#"}, {"normalized", false}, {"lstrip", true}}, "a  # b"),
              ElementsAre("a", "  #", " b"));
  EXPECT_THAT(AddedPieces({{"content", "#"}, {"normalized", false}, {"rstrip", true}}, "a #\t b"),
              ElementsAre("a ", "#\t ", "b"));
}

TEST(AddedTokensTest, SingleWordsAreNotFoundWithinOthers) {
  const json token = {{"content", "day"}, {"single_word", true}};
  EXPECT_THAT(AddedPieces(token, "a day"), ElementsAre("a ", "day"));
  EXPECT_THAT(AddedPieces(token, "monday days"), ElementsAre("monday days"));
  EXPECT_THAT(AddedPieces(token, "(day)"), ElementsAre("(", "day", ")"));
}

TEST(AddedTokensTest, NormalizedOnesAreFoundInTheirNormalForm) {
  EXPECT_THAT(AddedPieces({{"content", "DAY"}, {"normalized", true}}, "my Day"), ElementsAre("my ", "Day"));
  EXPECT_THAT(AddedPieces({{"content", "DAY"}, {"normalized", false}}, "my Day"), ElementsAre("my Day"));
}

TEST(AddedTokensTest, TheLongestIsFoundAndNewOnesGetTheNextId) {
  const json added =
      json::array({{{"content", "<a>"}, {"id", 77}}, {{"content", "<a><b>"}}, {{"content", "?"}}});
  const auto tokenizer = MustParse(Document({.added_tokens = added}));
  EXPECT_THAT(MustEncode(*tokenizer, "<a><b><a>?").ids, ElementsAre(2, 1, 0));
  EXPECT_EQ(tokenizer->IdOf("<a><b>"), 2);
  EXPECT_EQ(tokenizer->TokenText(2), "<a><b>");
  EXPECT_EQ(tokenizer->IdOf("nothing"), TextTokenizer::kNoId);
  EXPECT_EQ(tokenizer->TokenText(99), "");
  EXPECT_EQ(tokenizer->end_id(), 3);
}

TEST(AddedTokensTest, TwoOfOneNormalFormAreRefused) {
  const json added =
      json::array({{{"content", "Day"}, {"normalized", true}}, {{"content", "DAY"}, {"normalized", true}}});
  EXPECT_EQ(ParseStatus(Document({.normalizer = {{"type", "Lowercase"}}, .added_tokens = added})).code(),
            absl::StatusCode::kFailedPrecondition);
}

// --- Encoding.

TEST(HfTokenizerTest, SpecialTokensHaveNoTextAndNoWord) {
  const auto tokenizer = GoldenTokenizer("bert-uncased");
  const Encoding encoding = MustEncode(*tokenizer, "The cat");
  ASSERT_GE(encoding.size(), 4u);
  EXPECT_EQ(encoding.ids.front(), tokenizer->IdOf("[CLS]"));
  EXPECT_EQ(encoding.ids.back(), tokenizer->IdOf("[SEP]"));
  EXPECT_EQ(encoding.spans.front(), Encoding::Span());
  EXPECT_EQ(encoding.words.front(), Encoding::kNoWord);
  EXPECT_EQ(encoding.sequence.front(), -1);
  EXPECT_EQ(tokenizer->num_special_tokens(), 2);
  EXPECT_EQ(tokenizer->num_pair_special_tokens(), 3);
  EXPECT_THAT(MustEncode(*tokenizer, "").ids,
              ElementsAre(tokenizer->IdOf("[CLS]"), tokenizer->IdOf("[SEP]")));
  const absl::StatusOr<Encoding> bare = tokenizer->Encode("", {.add_special_tokens = false});
  ASSERT_TRUE(bare.ok());
  EXPECT_THAT(bare->ids, IsEmpty());
}

TEST(HfTokenizerTest, KeepsAtMostMaxTokens) {
  const auto tokenizer = GoldenTokenizer("bert-uncased");
  const std::string text = "a b c d";  // Four tokens of their own.
  ASSERT_EQ(MustEncode(*tokenizer, text).size(), 6u);
  for (const int32_t max_tokens : {2, 5, 6, 7}) {
    const absl::StatusOr<Encoding> encoding = tokenizer->Encode(text, {.max_tokens = max_tokens});
    ASSERT_TRUE(encoding.ok()) << encoding.status();
    EXPECT_EQ(encoding->size(), static_cast<size_t>(std::min(max_tokens, 6)));
    EXPECT_EQ(encoding->truncated, max_tokens < 6);
    EXPECT_EQ(encoding->ids.back(), tokenizer->IdOf("[SEP]"));
  }
  EXPECT_EQ(tokenizer->Encode(text, {.max_tokens = 1}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(tokenizer->Encode(text, {.max_tokens = -1}).status().code(), absl::StatusCode::kInvalidArgument);
  const absl::StatusOr<Encoding> bare =
      tokenizer->Encode(text, {.add_special_tokens = false, .max_tokens = 1});
  ASSERT_TRUE(bare.ok()) << bare.status();
  EXPECT_EQ(bare->size(), 1u);
}

TEST(HfTokenizerTest, TheFilesOwnLimitHoldsWhereNoneIsGiven) {
  const auto tokenizer = GoldenTokenizer("word-level");  // Eight, from the end.
  const Encoding encoding = MustEncode(*tokenizer, "1 2 3 4 5 6 7 8 9 cat");
  EXPECT_EQ(encoding.size(), 8u);
  EXPECT_TRUE(encoding.truncated);
  EXPECT_EQ(encoding.ids.back(), tokenizer->IdOf("cat"));
  const absl::StatusOr<Encoding> all =
      tokenizer->Encode("1 2 3 4 5 6 7 8 9 cat", {.max_tokens = EncodeOptions::kNoLimit});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->size(), 10u);
  EXPECT_FALSE(all->truncated);
}

TEST(HfTokenizerTest, TextsAreTakenUpToTheirLimit) {
  const auto tokenizer = MustParse(Document({}));
  for (const size_t size :
       {TextTokenizer::kMaxTextBytes - 1, TextTokenizer::kMaxTextBytes, TextTokenizer::kMaxTextBytes + 1}) {
    const absl::Status status = tokenizer->Encode(std::string(size, 'a'), {}).status();
    EXPECT_EQ(status.code(), size <= TextTokenizer::kMaxTextBytes ? absl::StatusCode::kOk
                                                                  : absl::StatusCode::kInvalidArgument);
  }
}

TEST(HfTokenizerTest, ATextThatTheRulesBlowUpIsRefused) {
  const json grow = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aaaaaaaaaa"}};
  const auto tokenizer =
      MustParse(Document({.normalizer = {{"type", "Sequence"}, {"normalizers", json(9, grow)}}}));
  EXPECT_EQ(tokenizer->Encode("a", {}).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(tokenizer->Encode("b", {}).ok());
}

TEST(HfTokenizerTest, BrokenUtf8CountsAsReplacementCharacters) {
  const auto tokenizer = GoldenTokenizer("roberta");
  const Encoding broken = MustEncode(*tokenizer, "a\xFF\xC3 b");
  const Encoding replaced = MustEncode(*tokenizer, "a\xEF\xBF\xBD\xEF\xBF\xBD b");
  EXPECT_EQ(broken.ids, replaced.ids);
  EXPECT_EQ(broken.spans.back(), Encoding::Span());
  EXPECT_EQ(broken.spans[broken.size() - 2], (Encoding::Span{4, 5}));
}

// --- Model directories.

class LoadHfTokenizerTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    dir_ = std::filesystem::path(testing::TempDir()) / (std::string("load_hf_") + info->name());
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name, std::ios::binary) << text;
  }
  absl::StatusOr<std::unique_ptr<TextTokenizer>> Load() { return LoadHfTokenizer(dir_.string()); }

  std::filesystem::path dir_;
};

TEST_F(LoadHfTokenizerTest, SaysThatNoFileIsThere) {
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LoadHfTokenizerTest, TokenizerJsonComesFirst) {
  Write("tokenizer.json", Document({}).dump());
  Write("vocab.txt", "[UNK]\n");
  const auto tokenizer = Load();
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ((*tokenizer)->IdOf("?"), 0);
}

TEST_F(LoadHfTokenizerTest, ABrokenTokenizerJsonIsNotPassedOver) {
  Write("tokenizer.json", "{");
  Write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n");
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(LoadHfTokenizerTest, VocabTxtIsBerts) {
  Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\r\n[SEP]\n[MASK]\nhe\n##llo\ncafe\n中\n");
  const auto tokenizer = Load();
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_THAT(MustEncode(**tokenizer, "Hello Café中[MASK]!").ids, ElementsAre(2, 5, 6, 7, 8, 4, 1, 3));
  const absl::StatusOr<Encoding> pair = (*tokenizer)->EncodePair("he", "he", {});
  ASSERT_TRUE(pair.ok());
  EXPECT_THAT(pair->ids, ElementsAre(2, 5, 3, 5, 3));
  EXPECT_THAT(pair->type_ids, ElementsAre(0, 0, 0, 1, 1));
}

TEST_F(LoadHfTokenizerTest, LowerCaseComesBeforeTheNormalizerAndSparesSpecialTokens) {
  Write("tokenizer_config.json", R"({"do_lower_case": false})");
  Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhe\nHe\nοσ\nος\n");
  const auto as_given = LoadHfTokenizer(dir_.string()),
             lower = LoadHfTokenizer(dir_.string(), TextCase::kLower);
  ASSERT_TRUE(as_given.ok() && lower.ok()) << as_given.status() << lower.status();
  EXPECT_THAT(MustEncode(**as_given, "He [MASK]").ids, ElementsAre(2, 6, 4, 3));
  EXPECT_THAT(MustEncode(**lower, "He [MASK]").ids, ElementsAre(2, 5, 4, 3));
  EXPECT_THAT(MustEncode(**lower, "ΟΣ").ids, ElementsAre(2, 7, 3))
      << "each character by itself: no final sigma";
  Write("tokenizer.json", Document({}).dump());
  const auto without_normalizer = LoadHfTokenizer(dir_.string(), TextCase::kLower);
  EXPECT_TRUE(without_normalizer.ok()) << without_normalizer.status();
  Write("tokenizer.json", "[]");
  EXPECT_EQ(LoadHfTokenizer(dir_.string(), TextCase::kLower).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(LoadHfTokenizerTest, TokenizerConfigDecidesOnCaseAndSpecialTokens) {
  Write("vocab.txt", "<s>\n</s>\n[UNK]\n<pad>\n<mask>\nhe\nHe\ncafé\n");
  Write("tokenizer_config.json", R"({"tokenizer_class": "MPNetTokenizer", "do_lower_case": false})");
  const auto tokenizer = Load();
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_THAT(MustEncode(**tokenizer, "He café  <mask>").ids, ElementsAre(0, 6, 7, 4, 1));
  const absl::StatusOr<Encoding> pair = (*tokenizer)->EncodePair("he", "he", {});
  ASSERT_TRUE(pair.ok());
  EXPECT_THAT(pair->ids, ElementsAre(0, 5, 1, 1, 5, 1));
}

TEST_F(LoadHfTokenizerTest, VocabJsonAndMergesTxtAreRobertas) {
  Write(
      "vocab.json",
      R"({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "a": 5, "b": 6, "ab": 7, "Ġ": 8, "Ġab": 9})");
  Write("merges.txt", "#version: 0.2\na b\nĠ ab\n");
  const auto tokenizer = Load();
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const Encoding encoding = MustEncode(**tokenizer, "ab ab <mask>");
  EXPECT_THAT(encoding.ids, ElementsAre(0, 7, 9, 4, 2));
  EXPECT_EQ(encoding.spans[2], (Encoding::Span{3, 5}));  // Trimmed.
  EXPECT_EQ(encoding.spans[3], (Encoding::Span{6, 12}));
}

TEST_F(LoadHfTokenizerTest, OtherClassesNeedATokenizerJson) {
  Write("vocab.json", R"({"a": 0})");
  Write("merges.txt", "");
  Write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  const absl::Status status = Load().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("GPT2Tokenizer"));
}

TEST_F(LoadHfTokenizerTest, MalformedFilesAreDataLoss) {
  Write("vocab.txt", "[UNK]\n[CLS]\n");  // No [SEP].
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kDataLoss);
  Write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n\xFF\n");
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kDataLoss);
  Write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n");
  EXPECT_TRUE(Load().ok()) << Load().status();
  Write("tokenizer_config.json", R"({"do_lower_case": 1})");
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kDataLoss);
  Write("tokenizer_config.json", R"({"added_tokens_decoder": {"x": {}}})");
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace attendant::hf
