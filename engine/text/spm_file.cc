#include "engine/text/spm_file.h"

#include <bit>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/text/utf8.h"
#include "engine/text/wire_reader.h"

namespace attendant {
namespace {

using Type = WireField::Type;

// Field numbers of sentencepiece_model.proto.
constexpr uint32_t kModelPieces = 1, kModelTrainer = 2, kModelNormalizer = 3, kModelDenormalizer = 5;
constexpr uint32_t kPieceText = 1, kPieceScore = 2, kPieceType = 3;
constexpr uint32_t kTrainerModelType = 3, kTrainerSpaceAsSuffix = 24, kTrainerByteFallback = 35,
                   kTrainerUnkSurface = 44;
constexpr uint32_t kNormalizerCharsmap = 2, kNormalizerDummyPrefix = 3, kNormalizerRemoveSpaces = 4,
                   kNormalizerEscapeSpaces = 5;

absl::Status ExpectType(const WireField& field, Type type, std::string_view what) {
  if (field.type == type) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(std::string(what), ": field ", field.number, " has the wrong type"));
}

absl::Status ReadBool(const WireField& field, std::string_view what, bool* value) {
  ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kVarint, what));
  *value = field.scalar != 0;
  return absl::OkStatus();
}

absl::Status ReadPieceField(const WireField& field, SpmPiece* piece) {
  switch (field.number) {
    case kPieceText:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kBytes, "piece"));
      if (field.bytes.size() > kMaxSpmPieceBytes) {
        return absl::DataLossError(
            absl::StrCat("a piece has ", field.bytes.size(), " bytes; the limit is ", kMaxSpmPieceBytes));
      }
      piece->text = field.bytes;
      return absl::OkStatus();
    case kPieceScore:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kFixed32, "piece"));
      piece->score = std::bit_cast<float>(static_cast<uint32_t>(field.scalar));
      return absl::OkStatus();
    case kPieceType:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kVarint, "piece"));
      if (field.scalar < 1 || field.scalar > 6) {
        return absl::DataLossError(absl::StrCat("piece type ", field.scalar, " is unknown"));
      }
      piece->type = static_cast<SpmPieceType>(field.scalar);
      return absl::OkStatus();
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckPiece(const SpmPiece& piece) {
  if (piece.text.empty()) return absl::DataLossError("the piece is empty");
  if (piece.text.find('\0') != std::string::npos) return absl::DataLossError("the piece has a zero byte");
  if (!IsValidUtf8(piece.text)) return absl::DataLossError("the piece is not UTF-8");
  if (!std::isfinite(piece.score)) return absl::DataLossError("the score is not a finite number");
  return absl::OkStatus();
}

absl::Status ReadPiece(std::string_view message, SpmPiece* piece) {
  WireReader reader(message);
  WireField field;
  while (!reader.AtEnd()) {
    ATTENDANT_RETURN_IF_ERROR(reader.Next(&field));
    ATTENDANT_RETURN_IF_ERROR(ReadPieceField(field, piece));
  }
  return CheckPiece(*piece);
}

absl::Status ReadTrainerField(const WireField& field, SpmFile* file) {
  switch (field.number) {
    case kTrainerModelType:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kVarint, "trainer_spec"));
      if (field.scalar < 1 || field.scalar > 4) {
        return absl::DataLossError(absl::StrCat("trainer_spec: model type ", field.scalar, " is unknown"));
      }
      file->model_type = static_cast<SpmModelType>(field.scalar);
      return absl::OkStatus();
    case kTrainerSpaceAsSuffix:
      return ReadBool(field, "trainer_spec", &file->treat_whitespace_as_suffix);
    case kTrainerByteFallback:
      return ReadBool(field, "trainer_spec", &file->byte_fallback);
    case kTrainerUnkSurface:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kBytes, "trainer_spec"));
      if (!IsValidUtf8(field.bytes)) return absl::DataLossError("trainer_spec: unk_surface is not UTF-8");
      file->unk_surface = field.bytes;
      return absl::OkStatus();
    default:
      return absl::OkStatus();
  }
}

absl::Status ReadNormalizerField(const WireField& field, SpmNormalizerSpec* spec) {
  switch (field.number) {
    case kNormalizerCharsmap:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kBytes, "normalizer_spec"));
      spec->charsmap = field.bytes;
      return absl::OkStatus();
    case kNormalizerDummyPrefix:
      return ReadBool(field, "normalizer_spec", &spec->add_dummy_prefix);
    case kNormalizerRemoveSpaces:
      return ReadBool(field, "normalizer_spec", &spec->remove_extra_whitespaces);
    case kNormalizerEscapeSpaces:
      return ReadBool(field, "normalizer_spec", &spec->escape_whitespaces);
    default:
      return absl::OkStatus();
  }
}

// Reads every field of message with read_field(field, target).
template <typename ReadField, typename Target>
absl::Status ReadMessage(std::string_view message, ReadField read_field, Target* target) {
  WireReader reader(message);
  WireField field;
  while (!reader.AtEnd()) {
    ATTENDANT_RETURN_IF_ERROR(reader.Next(&field));
    ATTENDANT_RETURN_IF_ERROR(read_field(field, target));
  }
  return absl::OkStatus();
}

absl::Status AppendPiece(std::string_view message, SpmFile* file) {
  if (file->pieces.size() == kMaxSpmPieces) {
    return absl::DataLossError(absl::StrCat("more than ", kMaxSpmPieces, " pieces"));
  }
  if (absl::Status status = ReadPiece(message, &file->pieces.emplace_back()); !status.ok()) {
    return absl::DataLossError(
        absl::StrCat("piece ", file->pieces.size() - 1, ": ", std::string(status.message())));
  }
  return absl::OkStatus();
}

absl::Status ReadModelField(const WireField& field, SpmFile* file) {
  switch (field.number) {
    case kModelPieces:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kBytes, "model"));
      return AppendPiece(field.bytes, file);
    case kModelTrainer:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kBytes, "model"));
      return ReadMessage(field.bytes, ReadTrainerField, file);
    case kModelNormalizer:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kBytes, "model"));
      return ReadMessage(field.bytes, ReadNormalizerField, &file->normalizer);
    case kModelDenormalizer:
      ATTENDANT_RETURN_IF_ERROR(ExpectType(field, Type::kBytes, "model"));
      return ReadMessage(field.bytes, ReadNormalizerField, &file->denormalizer);
    default:
      return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<SpmFile> ParseSpmFile(std::string_view bytes) {
  if (bytes.size() > kMaxSpmFileBytes) {
    return absl::DataLossError(
        absl::StrCat("the file has ", bytes.size(), " bytes; the limit is ", kMaxSpmFileBytes));
  }
  SpmFile file;
  ATTENDANT_RETURN_IF_ERROR(ReadMessage(bytes, ReadModelField, &file));
  size_t vocabulary_bytes = 0;
  for (const SpmPiece& piece : file.pieces) vocabulary_bytes += piece.text.size();
  if (vocabulary_bytes > kMaxSpmVocabularyBytes) {
    return absl::DataLossError(
        absl::StrCat("the pieces have ", vocabulary_bytes, " bytes; the limit is ", kMaxSpmVocabularyBytes));
  }
  if (file.pieces.empty()) return absl::DataLossError("the file has no pieces");
  return file;
}

}  // namespace attendant
