#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/text/segmenter.h"
#include "engine/text/spm_normalizer.h"
#include "engine/text/spm_vocabulary.h"

namespace attendant {

// A text as pieces: segments of normalized. Neighbouring unknown characters are one segment; with byte
// fallback an unknown character is one segment per byte instead.
struct EncodedText {
  std::string normalized;
  std::vector<Segment> segments;
};

// One SentencePiece model: Unigram, BPE, character or word. Encodes and decodes as spm_encode and spm_decode
// do. Immutable after loading, thread-safe. Not for sampling or n-best segmentation.
class SentencePiece {
 public:
  // Errors: NOT_FOUND there is no such file; DATA_LOSS it is corrupt, with the file and the reason.
  static absl::StatusOr<std::unique_ptr<SentencePiece>> Load(const std::filesystem::path& file);
  // Errors: DATA_LOSS.
  static absl::StatusOr<std::unique_ptr<SentencePiece>> Parse(std::string_view file_bytes);

  // Any bytes are accepted; what is not UTF-8 becomes U+FFFD.
  EncodedText Encode(std::string_view text) const;
  std::vector<int32_t> EncodeAsIds(std::string_view text) const;

  // Text of pieces: control pieces dropped, the space mark turned to spaces, without the space before the
  // first word. A text that is no piece stands for itself. Always UTF-8 if the pieces are. Ids outside the
  // vocabulary are dropped.
  std::string DecodePieces(absl::Span<const std::string_view> pieces) const;
  std::string DecodeIds(absl::Span<const int32_t> ids) const;

  const SpmVocabulary& vocabulary() const { return vocabulary_; }

 private:
  SentencePiece(SpmVocabulary vocabulary, SpmFile file);

  absl::Status CreateParts();

  SpmFile file_;  // Without pieces and charsmaps.
  SpmVocabulary vocabulary_;
  std::unique_ptr<Segmenter> segmenter_;
  std::unique_ptr<SpmNormalizer> normalizer_;
  std::unique_ptr<SpmNormalizer> denormalizer_;  // Null: decoded text stays as it is.
};

}  // namespace attendant
