#include "tests/engine/text/spm_writer.h"

#include <bit>
#include <cstdint>

namespace attendant {
namespace {

void WriteVarint(uint64_t value, std::string* message) {
  for (; value >= 0x80; value >>= 7) message->push_back(static_cast<char>(value | 0x80));
  message->push_back(static_cast<char>(value));
}

void WriteNumber(int number, uint64_t value, std::string* message) {
  WriteVarint(static_cast<uint64_t>(number) << 3, message);
  WriteVarint(value, message);
}

void WriteFloat(int number, float value, std::string* message) {
  WriteVarint(static_cast<uint64_t>(number) << 3 | 5, message);
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  for (int i = 0; i < 4; ++i) message->push_back(static_cast<char>(bits >> (8 * i)));
}

std::string PieceMessage(const SpmPiece& piece) {
  std::string message;
  WriteField(1, piece.text, &message);
  WriteFloat(2, piece.score, &message);
  WriteNumber(3, static_cast<uint64_t>(piece.type), &message);
  return message;
}

std::string TrainerMessage(const SpmFile& file) {
  std::string message;
  WriteNumber(3, static_cast<uint64_t>(file.model_type), &message);
  WriteNumber(24, file.treat_whitespace_as_suffix ? 1 : 0, &message);
  WriteNumber(35, file.byte_fallback ? 1 : 0, &message);
  WriteField(44, file.unk_surface, &message);
  return message;
}

std::string NormalizerMessage(const SpmNormalizerSpec& spec) {
  std::string message;
  WriteField(2, spec.charsmap, &message);
  WriteNumber(3, spec.add_dummy_prefix ? 1 : 0, &message);
  WriteNumber(4, spec.remove_extra_whitespaces ? 1 : 0, &message);
  WriteNumber(5, spec.escape_whitespaces ? 1 : 0, &message);
  return message;
}

}  // namespace

void WriteField(int number, const std::string& value, std::string* message) {
  WriteVarint(static_cast<uint64_t>(number) << 3 | 2, message);
  WriteVarint(value.size(), message);
  message->append(value);
}

std::string WriteSpmFile(const SpmFile& file) {
  std::string bytes;
  for (const SpmPiece& piece : file.pieces) WriteField(1, PieceMessage(piece), &bytes);
  WriteField(2, TrainerMessage(file), &bytes);
  WriteField(3, NormalizerMessage(file.normalizer), &bytes);
  WriteField(5, NormalizerMessage(file.denormalizer), &bytes);
  return bytes;
}

SpmFile TinyModel(const std::vector<std::string>& pieces) {
  SpmFile file;
  file.pieces.push_back({"<unk>", 0.0f, SpmPieceType::kUnknown});
  float score = 0.0f;
  for (const std::string& text : pieces) file.pieces.push_back({text, score -= 1.0f, SpmPieceType::kNormal});
  return file;
}

}  // namespace attendant
