#include "engine/text/spm_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/text/spm_writer.h"

namespace attendant {
namespace {

using ::testing::HasSubstr;

void ExpectSpmRefused(const std::string& bytes, const std::string& reason) {
  const auto file = ParseSpmFile(bytes);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kDataLoss) << reason;
  EXPECT_THAT(std::string(file.status().message()), HasSubstr(reason));
}

std::string ModelWithPiece(const std::string& piece_message) {
  std::string bytes;
  WriteField(1, piece_message, &bytes);
  return bytes;
}

SpmFile FileWithPiece(SpmPiece piece) {
  SpmFile file = TinyModel({});
  file.pieces.push_back(std::move(piece));
  return file;
}

TEST(SpmFileTest, ReadsWhatWasWritten) {
  SpmFile file = TinyModel({"a", "\u2581b"});
  file.pieces[2].type = SpmPieceType::kUserDefined;
  file.model_type = SpmModelType::kBpe;
  file.treat_whitespace_as_suffix = file.byte_fallback = true;
  file.unk_surface = "?";
  file.normalizer = {"map", false, false, false};
  file.denormalizer.charsmap = "other";
  const auto read = ParseSpmFile(WriteSpmFile(file));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->pieces.size(), 3u);
  EXPECT_EQ(read->pieces[2].text, "\u2581b");
  EXPECT_EQ(read->pieces[2].score, -2.0f);
  EXPECT_EQ(read->pieces[2].type, SpmPieceType::kUserDefined);
  EXPECT_EQ(read->model_type, SpmModelType::kBpe);
  EXPECT_TRUE(read->treat_whitespace_as_suffix && read->byte_fallback);
  EXPECT_EQ(read->unk_surface, "?");
  EXPECT_EQ(read->normalizer.charsmap, "map");
  EXPECT_FALSE(read->normalizer.add_dummy_prefix || read->normalizer.remove_extra_whitespaces ||
               read->normalizer.escape_whitespaces);
  EXPECT_EQ(read->denormalizer.charsmap, "other");
}

TEST(SpmFileTest, DefaultsAreThoseOfTheFormat) {
  const auto file = ParseSpmFile(ModelWithPiece(std::string("\x0A\x01", 2) + "a"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->pieces[0].type, SpmPieceType::kNormal);
  EXPECT_EQ(file->pieces[0].score, 0.0f);
  EXPECT_EQ(file->model_type, SpmModelType::kUnigram);
  EXPECT_EQ(file->unk_surface, " \u2047 ");
  EXPECT_TRUE(file->normalizer.add_dummy_prefix && file->normalizer.remove_extra_whitespaces &&
              file->normalizer.escape_whitespaces);
  EXPECT_FALSE(file->byte_fallback || file->treat_whitespace_as_suffix);
}

TEST(SpmFileTest, UnknownFieldsAreSkipped) {
  std::string bytes = WriteSpmFile(TinyModel({"a"}));
  WriteField(4, "self test data", &bytes);
  WriteField(1000, "an extension", &bytes);
  bytes += std::string(
      "\xF9\x3E"
      "12345678",
      10);  // Number 1007, fixed 64 bits.
  EXPECT_TRUE(ParseSpmFile(bytes).ok());
}

TEST(SpmFileTest, EveryTruncationIsRefusedOrShorter) {
  const std::string bytes = WriteSpmFile(TinyModel({"a", "bc"}));
  ASSERT_TRUE(ParseSpmFile(bytes).ok());
  ExpectSpmRefused("", "no pieces");
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto file = ParseSpmFile(bytes.substr(0, length));
    if (file.ok()) {
      EXPECT_GE(file->pieces.size(), 1u);
    } else {
      EXPECT_EQ(file.status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

TEST(SpmFileTest, MalformedFieldsAreRefused) {
  ExpectSpmRefused("\x0A\x7F", "claims 127 bytes");
  ExpectSpmRefused("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "claims 18446744073709551615 bytes");
  ExpectSpmRefused("\x0A", "cut off");
  ExpectSpmRefused(std::string(12, '\xFF'), "longer than ten bytes");
  ExpectSpmRefused("\x0B", "unknown field type");
  ExpectSpmRefused(std::string("\x00\x00", 2), "field number");
  ExpectSpmRefused("\x08\x01", "wrong type");
  ExpectSpmRefused(ModelWithPiece("\x15\x01\x02"), "fixed-size number is cut off");
  ExpectSpmRefused(ModelWithPiece("\x12\x01x"), "wrong type");
}

TEST(SpmFileTest, BadPiecesAreRefusedByNumber) {
  const float kNan = std::numeric_limits<float>::quiet_NaN();
  const float kInf = std::numeric_limits<float>::infinity();
  ExpectSpmRefused(WriteSpmFile(FileWithPiece({"", 0.0f})), "piece 1: the piece is empty");
  ExpectSpmRefused(WriteSpmFile(FileWithPiece({std::string("a\0b", 3), 0.0f})),
                   "piece 1: the piece has a zero byte");
  ExpectSpmRefused(WriteSpmFile(FileWithPiece({"\xFF", 0.0f})), "piece 1: the piece is not UTF-8");
  ExpectSpmRefused(WriteSpmFile(FileWithPiece({"a", kNan})), "piece 1: the score is not a finite number");
  ExpectSpmRefused(WriteSpmFile(FileWithPiece({"a", -kInf})), "piece 1: the score is not a finite number");
  for (const int type : {0, 7}) {
    ExpectSpmRefused(WriteSpmFile(FileWithPiece({"a", 0.0f, static_cast<SpmPieceType>(type)})), "is unknown");
  }
}

TEST(SpmFileTest, ModelTypesOutsideTheFormatAreRefused) {
  for (const int type : {0, 1, 4, 5}) {
    SpmFile file = TinyModel({"a"});
    file.model_type = static_cast<SpmModelType>(type);
    EXPECT_EQ(ParseSpmFile(WriteSpmFile(file)).ok(), type == 1 || type == 4);
  }
}

TEST(SpmFileTest, PieceLengthIsLimited) {
  for (const size_t length : {kMaxSpmPieceBytes - 1, kMaxSpmPieceBytes, kMaxSpmPieceBytes + 1}) {
    const auto file = ParseSpmFile(WriteSpmFile(FileWithPiece({std::string(length, 'a'), 0.0f})));
    EXPECT_EQ(file.ok(), length <= kMaxSpmPieceBytes);
  }
}

TEST(SpmFileTest, NumberOfPiecesIsLimited) {
  const std::string piece = ModelWithPiece(std::string("\x0A\x01", 2) + "a");
  std::string bytes;
  bytes.reserve(piece.size() * (kMaxSpmPieces + 1));
  for (size_t i = 0; i + 1 < kMaxSpmPieces; ++i) bytes += piece;
  EXPECT_TRUE(ParseSpmFile(bytes).ok());
  EXPECT_TRUE(ParseSpmFile(bytes += piece).ok());
  ExpectSpmRefused(bytes += piece, "more than 1048576 pieces");
}

TEST(SpmFileTest, BytesOfAllPiecesAreLimited) {
  SpmFile file = TinyModel({});
  size_t left = kMaxSpmVocabularyBytes - file.pieces[0].text.size();
  for (; left > kMaxSpmPieceBytes; left -= 7000) file.pieces.push_back({std::string(7000, 'a'), 0.0f});
  file.pieces.push_back({std::string(left, 'a'), 0.0f});
  EXPECT_TRUE(ParseSpmFile(WriteSpmFile(file)).ok());
  file.pieces.push_back({"a", 0.0f});
  ExpectSpmRefused(WriteSpmFile(file), "the pieces have 16777217 bytes");
}

}  // namespace
}  // namespace attendant
