#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace attendant {

// Text to token ids and back, for one model. Immutable after loading: const methods are thread-safe.
// Ids are exactly those that Hugging Face `transformers` gives for the same model directory.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Ids of text without any end-of-sentence token. Any bytes are accepted: what is not UTF-8 becomes U+FFFD,
  // as the reference does. Time is linear in the text's length.
  virtual std::vector<int32_t> Encode(std::string_view text) const = 0;

  // Ids of a target-side text (a translation's forced prefix); the same as Encode where one vocabulary serves
  // both sides.
  virtual std::vector<int32_t> EncodeTarget(std::string_view text) const = 0;

  // Clean text of target ids: control tokens dropped, the space mark turned to spaces, no space at either
  // end. Ids outside the vocabulary are dropped.
  virtual std::string Decode(absl::Span<const int32_t> ids) const = 0;

  // The pieces as text ("▁Hello"), for alignments and per-token scores. "<unk>" for ids outside the
  // vocabulary.
  virtual std::string SourcePiece(int32_t id) const = 0;
  virtual std::string TargetPiece(int32_t id) const = 0;

  virtual int32_t vocab_size() const = 0;
  virtual int32_t eos_id() const = 0;
  virtual int32_t unk_id() const = 0;
  virtual int32_t pad_id() const = 0;
};

}  // namespace attendant
