#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/text/byte_trie.h"
#include "engine/text/charsmap.h"
#include "engine/text/spm_file.h"

namespace attendant {

// Text to the form that pieces are made of: the model's character rules, spaces as the mark U+2581, extra
// spaces removed, a mark before the first word (or after the last). Any bytes are accepted: each that is not
// UTF-8 becomes U+FFFD. Immutable, thread-safe. Linear in the text. Source: SentencePiece, normalizer.cc,
// whose output this equals.
class SpmNormalizer {
 public:
  // kept: texts that the character rules pass over (the user-defined pieces). Errors: DATA_LOSS for a bad
  // charsmap.
  struct Options {
    SpmNormalizerSpec spec;
    bool treat_whitespace_as_suffix = false;
    ByteTrie kept;
  };
  static absl::StatusOr<SpmNormalizer> Create(Options options);

  std::string Normalize(std::string_view text) const;

 private:
  struct Step {
    size_t consumed_bytes;
    std::string_view output;
  };

  SpmNormalizer(Options options, Charsmap charsmap);

  Step NextStep(std::string_view text) const;
  std::string_view SkipLeadingSpaces(std::string_view text) const;
  void AppendEscaped(std::string_view piece, std::string* normalized) const;
  void AppendBody(std::string_view text, std::string* normalized) const;

  Options options_;
  Charsmap charsmap_;
  std::string_view space_;  // What a space becomes.
};

}  // namespace attendant
