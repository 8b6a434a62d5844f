#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/text/spm_vocabulary.h"

namespace attendant {

// A part of a normalised text and the piece that it is; unk_id where it is none.
struct Segment {
  uint32_t begin_bytes;
  uint32_t length_bytes;
  int32_t id;
};

// Cuts a normalised text into pieces. The segments cover the text, in order, without overlap.
// Immutable, thread-safe. The vocabulary must outlive the segmenter. Texts are shorter than 2 GiB.
class Segmenter {
 public:
  virtual ~Segmenter() = default;
  virtual std::vector<Segment> Segments(std::string_view normalized) const = 0;
};

// The most probable segmentation under a unigram language model, by Viterbi's algorithm.
// Source: Kudo 2018, "Subword Regularization"; SentencePiece, unigram_model.cc (the optimised encoder, ties
// included).
std::unique_ptr<Segmenter> MakeUnigramSegmenter(const SpmVocabulary* vocabulary);

// Merges neighbouring symbols, the pair of highest score first, leftmost among equals; pieces that are marked
// unused are taken apart again. O(n log n). Source: Sennrich et al. 2016, section 3.2; SentencePiece,
// bpe_model.cc.
std::unique_ptr<Segmenter> MakeBpeSegmenter(const SpmVocabulary* vocabulary);

// One piece per character (or user-defined piece), and one per word that begins with the space mark.
std::unique_ptr<Segmenter> MakeCharSegmenter(const SpmVocabulary* vocabulary);
std::unique_ptr<Segmenter> MakeWordSegmenter(const SpmVocabulary* vocabulary);

}  // namespace attendant
