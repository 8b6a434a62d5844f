#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace attendant {

// What a SentencePiece model file (.model, .spm) holds that encoding and decoding need. The file is a
// serialised protocol buffer, message ModelProto of sentencepiece_model.proto; the numbers below are that
// format's.
enum class SpmPieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
enum class SpmModelType { kUnigram = 1, kBpe = 2, kWord = 3, kChar = 4 };

struct SpmPiece {
  std::string text;    // UTF-8; a space is the mark U+2581.
  float score = 0.0f;  // Unigram: log probability. BPE: merges of higher score come first.
  SpmPieceType type = SpmPieceType::kNormal;
};

struct SpmNormalizerSpec {
  std::string charsmap;  // Empty: characters stay as they are. See Charsmap.
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

struct SpmFile {
  std::vector<SpmPiece> pieces;  // The index is the id.
  SpmModelType model_type = SpmModelType::kUnigram;
  bool treat_whitespace_as_suffix = false;
  bool byte_fallback = false;
  std::string unk_surface = " \xE2\x81\x87 ";
  SpmNormalizerSpec normalizer;
  SpmNormalizerSpec denormalizer;
};

// More than any known model has, and little enough that a crafted file cannot exhaust memory.
inline constexpr size_t kMaxSpmFileBytes = size_t{64} << 20;
inline constexpr size_t kMaxSpmPieces = size_t{1} << 20;
inline constexpr size_t kMaxSpmPieceBytes = 7999;
inline constexpr size_t kMaxSpmVocabularyBytes = size_t{16} << 20;

// Errors: DATA_LOSS with the reason, for a malformed file, one over the limits above, or one with an unknown
// piece type, model type, a score that is not finite, or a piece that is empty, not UTF-8 or has a zero byte.
absl::StatusOr<SpmFile> ParseSpmFile(std::string_view bytes);

}  // namespace attendant
