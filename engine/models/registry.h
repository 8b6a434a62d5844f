#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/models/seq2seq.h"

namespace attendant {

// The "model_type" of a Hugging Face directory's config.json. Errors: NOT_FOUND there is no config.json;
// DATA_LOSS it is not JSON or does not say.
absl::StatusOr<std::string> ReadModelType(const std::filesystem::path& dir);

// Loads the encoder-decoder of a Hugging Face directory, by its model_type. Errors: as ReadModelType;
// FAILED_PRECONDITION an architecture that is not an encoder-decoder this engine runs, or weights that do not
// fit the configuration, naming the tensor; DATA_LOSS corrupt files; RESOURCE_EXHAUSTED out of memory.
absl::StatusOr<std::unique_ptr<Seq2Seq>> LoadSeq2Seq(const std::filesystem::path& dir);

}  // namespace attendant
