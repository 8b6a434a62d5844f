#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace attendant {

// The tokens of one text, or of a pair of texts. All vectors have one element per token.
struct Encoding {
  static constexpr int32_t kNoWord = -1;

  // Bytes [begin, end) of the text as it was given, whole characters. Of the first or of the second text, as
  // sequence says. Empty for a token that stands for no text.
  struct Span {
    uint32_t begin = 0;
    uint32_t end = 0;

    bool operator==(const Span& other) const { return begin == other.begin && end == other.end; }
  };

  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;  // The segment embedding's row.
  std::vector<Span> spans;
  // Which word of its text, as the pre-tokeniser cut it, the token is part of; kNoWord for what the
  // post-processor added. Gaps in the numbers are words without a token. Where the file says that the
  // beginning is dropped, they count from the first word that was looked at.
  std::vector<int32_t> words;
  std::vector<int8_t> sequence;  // 0: of the first text, 1: of the second, -1: added by the post-processor.

  // Tokens were left out because there were more than allowed.
  bool truncated = false;

  size_t size() const { return ids.size(); }
};

struct EncodeOptions {
  static constexpr int32_t kNoLimit = std::numeric_limits<int32_t>::max();

  bool add_special_tokens = true;  // "[CLS]" and the like, where the model has them.
  // At most so many tokens, special ones included. 0: what the model's file says, which may be no limit.
  int32_t max_tokens = 0;
};

// Text to the tokens of one sequence that an encoder is fed with. Immutable after loading: const methods are
// thread-safe. Nothing is ever padded.
class SequenceTokenizer {
 public:
  // Of one text. Spans are 32 bits wide, and what is normalised may be many times as long.
  static constexpr size_t kMaxTextBytes = size_t{4} << 20;

  virtual ~SequenceTokenizer() = default;

  // Any bytes are accepted: each that is not UTF-8 counts as U+FFFD. Time and memory are near linear in the
  // text. Errors: INVALID_ARGUMENT for a text over kMaxTextBytes, or max_tokens below the number of special
  // tokens; FAILED_PRECONDITION for text that the model has no token for, not even an unknown one;
  // RESOURCE_EXHAUSTED when the model's rules blow the text up, or a pattern of its takes too long on it.
  virtual absl::StatusOr<Encoding> Encode(std::string_view text, const EncodeOptions& options) const = 0;

  // The largest id plus one: how many rows the model's embedding must have at least.
  virtual int32_t end_id() const = 0;
  // How many tokens Encode adds.
  virtual int32_t num_special_tokens() const = 0;
};

// One that Hugging Face `tokenizers` has as well: ids, spans and words are exactly its own for the same
// files.
class TextTokenizer : public SequenceTokenizer {
 public:
  static constexpr int32_t kNoId = -1;

  // Two texts in one sequence, as cross-encoders take them. Truncation shortens the longer one first, or
  // what the model's file says. Errors: as Encode.
  virtual absl::StatusOr<Encoding> EncodePair(std::string_view first, std::string_view second,
                                              const EncodeOptions& options) const = 0;

  // The id of a token ("[MASK]", "##ing"), kNoId for none.
  virtual int32_t IdOf(std::string_view token) const = 0;
  // As the vocabulary spells it ("##ing", "Ġthe"); empty for an id that no token has.
  virtual std::string TokenText(int32_t id) const = 0;
  // How many tokens EncodePair adds.
  virtual int32_t num_pair_special_tokens() const = 0;
};

}  // namespace attendant
