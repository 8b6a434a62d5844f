#pragma once

#include <string>
#include <string_view>

#include "engine/text/spm_file.h"
#include "engine/text/spm_vocabulary.h"

namespace attendant {

// Puts the text of one sequence of pieces together, piece by piece. Not thread-safe; one per sequence.
// Source: SentencePiece, sentencepiece_processor.cc, Decode.
class SpmDecoder {
 public:
  struct Options {
    bool strip_leading_space = true;    // One mark at the beginning goes away,
    bool strip_leading_spaces = false;  // or all of them.
    std::string_view unk_surface;       // Text of the unknown piece.
  };
  // vocabulary and unk_surface must outlive the decoder.
  SpmDecoder(const SpmVocabulary* vocabulary, Options options)
      : vocabulary_(*vocabulary), options_(options) {}

  void Append(std::string_view piece);
  std::string Finish() &&;

 private:
  void FlushBytes();
  // The text of a piece that is no byte. Sets took_space if the mark that stands before the first word was
  // dropped.
  std::string Surface(std::string_view piece, int32_t id, bool* took_space) const;

  const SpmVocabulary& vocabulary_;
  const Options options_;
  std::string text_;
  std::string bytes_;  // Of the byte pieces since the last other piece.
  bool expects_space_ = true;
  bool took_space_ = false;
};

}  // namespace attendant
