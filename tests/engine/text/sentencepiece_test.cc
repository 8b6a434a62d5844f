#include "engine/text/sentencepiece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/engine/text/spm_reference.h"
#include "tests/engine/text/spm_writer.h"
#include "tests/engine/text/text_generator.h"

namespace attendant {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Ids = std::vector<int32_t>;

constexpr size_t kLines = 10000;
constexpr uint64_t kSeed = 7;

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::filesystem::path ShippedModel() {
  return std::filesystem::path(ATTENDANT_SOURCE_DIR) / "models/translate-en-de/source.spm";
}

// A directory for the models that this test trains.
class SentencePieceReferenceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::path(::testing::TempDir()) /
        (std::string("attendant-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path Train(std::vector<std::string> flags) {
    flags.push_back("--hard_vocab_limit=false");
    return SpmTrain({directory_, "trained", GenerateTrainingLines(2000, kSeed), std::move(flags)});
  }

  // A copy of a model with changes.
  template <typename Change>
  std::filesystem::path Changed(const std::filesystem::path& model, Change change) {
    absl::StatusOr<SpmFile> file = ParseSpmFile(ReadAll(model));
    change(&*file);
    const std::filesystem::path changed = directory_ / "changed.model";
    std::ofstream(changed, std::ios::binary) << WriteSpmFile(*file);
    return changed;
  }

  static void ExpectSameIds(const std::filesystem::path& file, size_t num_lines) {
    const auto model = SentencePiece::Load(file);
    ASSERT_TRUE(model.ok()) << model.status();
    const std::vector<std::string> lines = GenerateLines(num_lines, kSeed);
    const std::vector<Ids> expected = SpmEncode(file, lines);
    ASSERT_EQ(expected.size(), lines.size());
    size_t identical = 0;
    for (size_t i = 0; i < lines.size(); ++i) {
      const Ids ids = (*model)->EncodeAsIds(lines[i]);
      identical += ids == expected[i] ? 1 : 0;
      EXPECT_EQ(ids, expected[i]) << "line " << i << ": " << ::testing::PrintToString(lines[i]);
    }
    std::printf("%s: ids of %zu of %zu lines identical to spm_encode's\n", file.filename().c_str(), identical,
                lines.size());
    ExpectSameTexts(file, **model, expected);
  }

  // Lines whose text has a zero byte are left out: spm_decode ends its output there.
  static void ExpectSameTexts(const std::filesystem::path& file, const SentencePiece& model,
                              const std::vector<Ids>& all) {
    std::vector<Ids> ids;
    for (const Ids& sequence : all) {
      if (model.DecodeIds(sequence).find_first_of(std::string("\n\0", 2)) == std::string::npos)
        ids.push_back(sequence);
    }
    ASSERT_GT(ids.size(), all.size() / 2);
    const std::vector<std::string> expected = SpmDecode(file, ids);
    ASSERT_EQ(expected.size(), ids.size());
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(model.DecodeIds(ids[i]), expected[i]) << "line " << i;
  }

  std::filesystem::path directory_;
};

TEST_F(SentencePieceReferenceTest, ShippedUnigramModel) {
  ExpectSameIds(ShippedModel(), kLines);
}

TEST_F(SentencePieceReferenceTest, BpeWithByteFallbackAndUserDefinedPieces) {
  ExpectSameIds(Train({"--model_type=bpe", "--vocab_size=600", "--byte_fallback=true",
                       "--user_defined_symbols=<url>,<num>,the,aaa,a"}),
                kLines);
}

TEST_F(SentencePieceReferenceTest, BpeWithUnknownsAndPiecesAcrossWords) {
  ExpectSameIds(Train({"--model_type=bpe", "--vocab_size=500", "--split_by_whitespace=false",
                       "--character_coverage=0.98", "--control_symbols=<num>"}),
                2000);
}

TEST_F(SentencePieceReferenceTest, BpeWithUnusedPieces) {
  const auto model = Train({"--model_type=bpe", "--vocab_size=500"});
  ExpectSameIds(Changed(model,
                        [](SpmFile* file) {
                          for (size_t id = 3; id < file->pieces.size(); id += 3) {
                            file->pieces[id].type = SpmPieceType::kUnused;
                          }
                        }),
                2000);
}

TEST_F(SentencePieceReferenceTest, UnigramCaseFoldedWithSpaceAsSuffixAndExtraSpacesKept) {
  ExpectSameIds(Train({"--model_type=unigram", "--vocab_size=400", "--normalization_rule_name=nmt_nfkc_cf",
                       "--treat_whitespace_as_suffix=true", "--remove_extra_whitespaces=false",
                       "--user_defined_symbols=<url>,<num>,is,aaa"}),
                2000);
}

TEST_F(SentencePieceReferenceTest, UnigramUnnormalisedWithoutDummyPrefix) {
  ExpectSameIds(Train({"--model_type=unigram", "--vocab_size=700", "--normalization_rule_name=identity",
                       "--add_dummy_prefix=false", "--byte_fallback=true"}),
                2000);
}

TEST_F(SentencePieceReferenceTest, UnigramWithUnusedPiecesAndTies) {
  const auto model = Train({"--model_type=unigram", "--vocab_size=400"});
  ExpectSameIds(Changed(model,
                        [](SpmFile* file) {
                          for (size_t id = 3; id < file->pieces.size(); ++id) {
                            file->pieces[id].score = -static_cast<float>(file->pieces[id].text.size());
                            if (id % 5 == 0) file->pieces[id].type = SpmPieceType::kUnused;
                          }
                        }),
                2000);
}

TEST_F(SentencePieceReferenceTest, CharacterModel) {
  ExpectSameIds(Train({"--model_type=char", "--vocab_size=120", "--user_defined_symbols=<url>,the"}), 2000);
}

TEST_F(SentencePieceReferenceTest, WordModel) {
  ExpectSameIds(Train({"--model_type=word", "--vocab_size=60"}), 2000);
}

std::unique_ptr<SentencePiece> Parsed(const SpmFile& file) {
  auto model = SentencePiece::Parse(WriteSpmFile(file));
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

TEST(SentencePieceTest, NeighbouringUnknownCharactersAreOneSegment) {
  const auto model = Parsed(TinyModel({"\u2581", "a"}));
  const EncodedText encoded = model->Encode("axya");
  EXPECT_THAT(model->EncodeAsIds("axya"), ElementsAre(1, 2, 0, 2));
  ASSERT_EQ(encoded.segments.size(), 4u);
  EXPECT_EQ(encoded.normalized.substr(encoded.segments[2].begin_bytes, encoded.segments[2].length_bytes),
            "xy");
}

TEST(SentencePieceTest, EmptyAndBlankTextHaveNoIds) {
  const auto model = Parsed(TinyModel({"\u2581", "a"}));
  EXPECT_THAT(model->EncodeAsIds(""), IsEmpty());
  EXPECT_THAT(model->EncodeAsIds("   "), IsEmpty());
}

TEST(SentencePieceTest, DecodeIdsDropsIdsOutsideTheVocabulary) {
  const auto model = Parsed(TinyModel({"\u2581a", "b"}));
  EXPECT_EQ(model->DecodeIds({1, -1, 3, 1000000, 2}), "ab");
}

TEST(SentencePieceTest, DecodePiecesKeepsTextThatIsNoPiece) {
  const auto model = Parsed(TinyModel({"\u2581a", "b"}));
  EXPECT_EQ(model->DecodePieces({"\u2581a", "xyz", "b"}), "axyzb");
  EXPECT_EQ(model->DecodePieces({"<unk>"}), " \u2047 ");
}

TEST(SentencePieceTest, LongRunsOfOneLetterTakeLinearTime) {
  for (const SpmModelType type : {SpmModelType::kUnigram, SpmModelType::kBpe}) {
    SpmFile file = TinyModel({"\u2581", "a", "aa", "aaaa", "aaaaaaaa"});
    file.model_type = type;
    EXPECT_GT(Parsed(file)->EncodeAsIds(std::string(200000, 'a')).size(), 20000u);
  }
}

struct BadVocabulary {
  std::string reason;
  SpmFile file;
};

std::vector<BadVocabulary> BadVocabularies() {
  std::vector<BadVocabulary> cases = {{"defined twice", TinyModel({"a", "b", "a"})},
                                      {"no piece is of the unknown type", TinyModel({"a"})},
                                      {"both unknown", TinyModel({"a"})},
                                      {"without byte_fallback", TinyModel({"<0x0A>"})},
                                      {"malformed", TinyModel({"<0x0a>"})},
                                      {"each of the 256 bytes", TinyModel({"<0x0A>"})}};
  cases[1].file.pieces[0].type = SpmPieceType::kControl;
  cases[2].file.pieces[1].type = SpmPieceType::kUnknown;
  for (size_t i = 3; i < cases.size(); ++i) cases[i].file.pieces[1].type = SpmPieceType::kByte;
  cases[4].file.byte_fallback = cases[5].file.byte_fallback = true;
  return cases;
}

TEST(SentencePieceTest, ParseRefusesInconsistentVocabularies) {
  for (const BadVocabulary& bad : BadVocabularies()) {
    const auto model = SentencePiece::Parse(WriteSpmFile(bad.file));
    EXPECT_EQ(model.status().code(), absl::StatusCode::kDataLoss) << bad.reason;
    EXPECT_THAT(std::string(model.status().message()), HasSubstr(bad.reason));
  }
}

TEST(SentencePieceTest, EqualTextsOfAControlAndANormalPieceAreNoContradiction) {
  SpmFile file = TinyModel({"<s>", "<s>"});
  file.pieces[1].type = SpmPieceType::kControl;
  EXPECT_TRUE(SentencePiece::Parse(WriteSpmFile(file)).ok());
}

TEST(SentencePieceTest, LoadNamesTheFileInErrors) {
  EXPECT_EQ(SentencePiece::Load("/nonexistent/model.spm").status().code(), absl::StatusCode::kNotFound);
  const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "attendant-bad.spm";
  std::ofstream(file) << "{\"not\": \"a model\"}";
  const auto model = SentencePiece::Load(file);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(model.status().message()), HasSubstr(file.string()));
  std::filesystem::remove(file);
}

TEST(SentencePieceTest, CorruptedModelsAreRefusedOrWork) {
  SpmFile file = *ParseSpmFile(ReadAll(ShippedModel()));
  file.pieces.resize(60);
  const std::string intact = WriteSpmFile(file);
  const std::vector<std::string> lines = GenerateLines(20, kSeed);
  int refused = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const auto model = SentencePiece::Parse(Corrupted(intact, seed));
    refused += model.ok() ? 0 : 1;
    if (!model.ok()) continue;
    for (const std::string& line : lines) (void)(*model)->DecodeIds((*model)->EncodeAsIds(line));
  }
  EXPECT_GT(refused, 10);
  EXPECT_LT(refused, 100);
}

}  // namespace
}  // namespace attendant
