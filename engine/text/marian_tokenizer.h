#pragma once

#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "engine/text/tokenizer.h"

namespace attendant {

// Loads the tokenizer of a Hugging Face MarianMT directory: source.spm, target.spm, vocab.json (and
// target_vocab.json with "separate_vocabs"), tokenizer_config.json. Errors: NOT_FOUND a file is missing;
// FAILED_PRECONDITION one is a link out of the directory; DATA_LOSS one is corrupt, with the reason. Source:
// transformers, models/marian/tokenization_marian.py.
absl::StatusOr<std::unique_ptr<Tokenizer>> LoadMarianTokenizer(const std::filesystem::path& model_dir);

}  // namespace attendant
