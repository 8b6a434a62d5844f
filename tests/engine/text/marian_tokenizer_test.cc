#include "engine/text/marian_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace attendant {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Ids = std::vector<int32_t>;
using Json = nlohmann::json;

const std::filesystem::path kRoot = ATTENDANT_SOURCE_DIR;
const std::filesystem::path kSeparate = kRoot / "tests/golden/tokenizer_separate_vocabs";

std::unique_ptr<Tokenizer> Load(const std::filesystem::path& directory) {
  auto tokenizer = LoadMarianTokenizer(directory);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return tokenizer.ok() ? *std::move(tokenizer) : nullptr;
}

std::unique_ptr<Tokenizer> Shipped() {
  return Load(kRoot / "models/translate-en-de");
}

// tests/golden/make_tokenizer_golden.py made the file.
Json Golden() {
  std::ifstream stream(kRoot / "tests/golden/tokenizer_golden.json");
  return Json::parse(stream);
}

TEST(MarianTokenizerTest, IdsAreThoseOfTransformers) {
  for (const Json& model : Golden()) {
    const auto tokenizer = Load(kRoot / model["model"].get<std::string>());
    ASSERT_GT(model["encode"].size(), 300u);
    for (const Json& example : model["encode"]) {
      const std::string text = example["text"];
      EXPECT_EQ(tokenizer->Encode(text), example["ids"].get<Ids>()) << example["text"];
      EXPECT_EQ(tokenizer->EncodeTarget(text), example["target_ids"].get<Ids>()) << example["text"];
    }
  }
}

TEST(MarianTokenizerTest, DecodedTextIsThatOfTransformers) {
  for (const Json& model : Golden()) {
    const auto tokenizer = Load(kRoot / model["model"].get<std::string>());
    for (const Json& example : model["encode"]) {
      EXPECT_EQ(tokenizer->Decode(example["target_ids"].get<Ids>()), example["decoded"].get<std::string>())
          << example["text"];
    }
    ASSERT_GT(model["decode"].size(), 100u);
    for (const Json& example : model["decode"]) {
      EXPECT_EQ(tokenizer->Decode(example["ids"].get<Ids>()), example["text"].get<std::string>())
          << example["ids"];
    }
  }
}

TEST(MarianTokenizerTest, SpecialIdsAreThoseOfTransformers) {
  for (const Json& model : Golden()) {
    const auto tokenizer = Load(kRoot / model["model"].get<std::string>());
    EXPECT_EQ(tokenizer->eos_id(), model["eos_id"].get<int32_t>());
    EXPECT_EQ(tokenizer->unk_id(), model["unk_id"].get<int32_t>());
    EXPECT_EQ(tokenizer->pad_id(), model["pad_id"].get<int32_t>());
  }
}

TEST(MarianTokenizerTest, LanguagePrefixIsOneToken) {
  const auto tokenizer = Load(kSeparate);
  EXPECT_EQ(tokenizer->SourcePiece(tokenizer->Encode(">>deu<< Hello").front()), ">>deu<<");
}

// Unlike a U+FFFD in the text, which the model's normalisation makes a space, one in place of a bad byte
// stays: spm_encode's way.
TEST(MarianTokenizerTest, InvalidUtf8IsUnknown) {
  const auto tokenizer = Shipped();
  std::vector<std::string> pieces;
  for (const int32_t id : tokenizer->Encode("a \xFF\xC3 b")) pieces.push_back(tokenizer->SourcePiece(id));
  EXPECT_THAT(pieces, ElementsAre("\u2581a", "\u2581", "<unk>", "\u2581b"));
}

TEST(MarianTokenizerTest, DecodeDropsSpecialTokensAndIdsOutsideTheVocabulary) {
  const auto tokenizer = Shipped();
  Ids ids = tokenizer->Encode("Hello, Tom.");
  ids.insert(ids.begin(), tokenizer->pad_id());
  ids.insert(ids.begin() + 2, {-1, tokenizer->vocab_size(), 1 << 30});
  ids.push_back(tokenizer->eos_id());
  EXPECT_EQ(tokenizer->Decode(ids), "Hello, Tom.");
  EXPECT_THAT(tokenizer->Decode({}), IsEmpty());
}

TEST(MarianTokenizerTest, PiecesOutsideTheVocabularyAreUnknown) {
  const auto tokenizer = Shipped();
  EXPECT_EQ(tokenizer->SourcePiece(3), "\u2581Tom");
  EXPECT_EQ(tokenizer->TargetPiece(3), "\u2581Tom");
  EXPECT_EQ(tokenizer->vocab_size(), 8002);
  EXPECT_EQ(tokenizer->SourcePiece(8002), "<unk>");
  EXPECT_EQ(tokenizer->TargetPiece(-1), "<unk>");
}

// A copy of the tiny model directory that a test may spoil.
class SpoiltMarianDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::path(::testing::TempDir()) /
        (std::string("attendant-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::copy(kSeparate, directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const char* name, const std::string& text) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }

  void ExpectRefused(absl::StatusCode code, const std::string& reason) {
    const auto tokenizer = LoadMarianTokenizer(directory_);
    EXPECT_EQ(tokenizer.status().code(), code) << tokenizer.status();
    EXPECT_THAT(std::string(tokenizer.status().message()), HasSubstr(reason));
    EXPECT_THAT(std::string(tokenizer.status().message()), HasSubstr(directory_.string()));
  }

  std::filesystem::path directory_;
};

TEST_F(SpoiltMarianDirectoryTest, MissingFilesAreNamed) {
  for (const char* name : {"target_vocab.json", "vocab.json", "target.spm", "source.spm"}) {
    std::filesystem::remove(directory_ / name);
    ExpectRefused(absl::StatusCode::kNotFound, name);
    std::filesystem::copy(kSeparate / name, directory_ / name);
  }
}

TEST_F(SpoiltMarianDirectoryTest, LinksOutOfTheDirectoryAreRefused) {
  for (const char* name :
       {"target_vocab.json", "vocab.json", "target.spm", "source.spm", "tokenizer_config.json"}) {
    std::filesystem::remove(directory_ / name);
    std::filesystem::create_symlink(kSeparate / name, directory_ / name);
    ExpectRefused(absl::StatusCode::kFailedPrecondition, "leads out of the directory");
    std::filesystem::remove(directory_ / name);
    std::filesystem::copy(kSeparate / name, directory_ / name);
  }
}

TEST_F(SpoiltMarianDirectoryTest, ConfigurationIsOptional) {
  std::filesystem::remove(directory_ / "tokenizer_config.json");
  EXPECT_TRUE(LoadMarianTokenizer(directory_).ok());
}

TEST_F(SpoiltMarianDirectoryTest, CorruptFilesAreRefused) {
  Write("source.spm", "no model");
  ExpectRefused(absl::StatusCode::kDataLoss, "source.spm");
}

TEST_F(SpoiltMarianDirectoryTest, VocabularyWithoutUnknownTokenIsRefused) {
  Write("vocab.json", R"({"</s>": 0})");
  ExpectRefused(absl::StatusCode::kDataLoss, "\"<unk>\" is missing");
}

TEST_F(SpoiltMarianDirectoryTest, MalformedConfigurationIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "not a JSON object"},
      {"{\"separate_vocabs\": 1}", "separate_vocabs"},
      {"{\"eos_token\": 3}", "eos_token"},
      {"{\"added_tokens_decoder\": []}", "added_tokens_decoder"},
      {"{\"added_tokens_decoder\": {\"x\": \"a\"}}", "no token id"},
      {"{\"added_tokens_decoder\": {\"2097152\": \"a\"}}", "outside 0..2097151"},
  };
  for (const auto& [config, reason] : cases) {
    Write("tokenizer_config.json", config);
    ExpectRefused(absl::StatusCode::kDataLoss, reason);
  }
  Write("tokenizer_config.json", R"({"eos_token": {"content": "</s>", "single_word": true}})");
  ExpectRefused(absl::StatusCode::kUnimplemented, "single_word");
}

TEST_F(SpoiltMarianDirectoryTest, SpecialTokensOutsideTheVocabularyGetNewIds) {
  Write("vocab.json", R"({"<unk>": 0, "a": 1})");
  Write("tokenizer_config.json", "{}");
  const auto tokenizer = Load(directory_);
  EXPECT_EQ(tokenizer->eos_id(), 2);
  EXPECT_EQ(tokenizer->pad_id(), 3);
  EXPECT_THAT(tokenizer->Encode("<pad></s><unk>"), ElementsAre(3, 2, 0));
}

TEST_F(SpoiltMarianDirectoryTest, AddedTokensFileAndSpecialTokensMapAreRead) {
  Write("tokenizer_config.json", "{}");
  Write("special_tokens_map.json", R"({"pad_token": {"content": "<blank>"}})");
  Write("added_tokens.json", R"({"<blank>": 500, "<extra>": 501})");
  const auto tokenizer = Load(directory_);
  EXPECT_EQ(tokenizer->pad_id(), 500);
  EXPECT_THAT(tokenizer->Encode("<extra><blank>"), ElementsAre(501, 500));
  EXPECT_EQ(tokenizer->Decode({501, 500}), "<extra>");
}

}  // namespace
}  // namespace attendant
