#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/text/hf/text_tokenizer.h"

namespace attendant {

enum class TextCase {
  kAsGiven,
  kLower,  // Each character in lower case before the file's own normaliser sees it.
};

// The tokeniser of a Hugging Face model directory: tokenizer.json, or else vocab.txt (WordPiece), or else
// vocab.json with merges.txt (byte-level BPE), the last two with what tokenizer_config.json says. Decoders
// and padding that the files speak of are not read. Errors: NOT_FOUND where none of the files is there;
// DATA_LOSS for a malformed file; FAILED_PRECONDITION naming the part that is not supported.
absl::StatusOr<std::unique_ptr<TextTokenizer>> LoadHfTokenizer(const std::string& model_dir,
                                                               TextCase text_case = TextCase::kAsGiven);

// The tokeniser that the text of a tokenizer.json describes. source: how messages call it. What is built is
// at most a small multiple of the text; no text makes it take long or crash.
absl::StatusOr<std::unique_ptr<TextTokenizer>> ParseTokenizerJson(std::string_view json,
                                                                  std::string_view source);

}  // namespace attendant
