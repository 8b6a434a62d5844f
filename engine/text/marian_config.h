#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/text/added_tokens.h"

namespace attendant {

// What the tokeniser's own files of a Hugging Face MarianMT directory say, beside its vocabularies.
struct MarianTokenizerConfig {
  bool separate_vocabs = false;
  bool clean_up_spaces =
      false;  // "clean_up_tokenization_spaces": " ." becomes "." after decoding, and the like.
  std::string eos_token = "</s>";
  std::string unk_token = "<unk>";
  std::string pad_token = "<pad>";
  // All special tokens in the order in which transformers gives new ids to those outside vocab.json; ids not
  // yet set.
  std::vector<AddedToken> special_tokens;
  // Tokens with ids of their own, from "added_tokens_decoder" or added_tokens.json; special or not.
  std::vector<AddedToken> numbered_tokens;
};

// Reads tokenizer_config.json and, as transformers does where the former has no "added_tokens_decoder",
// special_tokens_map.json and added_tokens.json. None of the files need be there. Errors: DATA_LOSS for a
// malformed file; UNIMPLEMENTED for added tokens with "single_word", which no published Marian model has.
absl::StatusOr<MarianTokenizerConfig> LoadMarianTokenizerConfig(const std::filesystem::path& model_dir);

}  // namespace attendant
