#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace attendant {

// What the front matter of a model's card says of its use: the YAML between a first line "---" and the next
// one. Source: Hugging Face, "Model Cards", metadata.
struct ModelCard {
  std::string pipeline_tag;
  std::vector<std::string> tags;
};

// Reads the top-level keys pipeline_tag (a plain or quoted text on one line) and tags (a list of such, either
// "- one" to a line, or "[one, two]" on one line); all other keys are skipped. Whatever YAML might mean by
// anything else is not guessed at. A text without front matter says nothing. Time is linear.
// Errors: DATA_LOSS "SOURCE: line 3: why" for front matter that is not of this form.
absl::StatusOr<ModelCard> ParseModelCard(std::string_view text, std::string_view source);

// OK: the card of a model directory, README.md, says that the model is for embeddings: one of its tags or its
// pipeline_tag is "sentence-similarity" or "feature-extraction". FAILED_PRECONDITION otherwise, saying what
// to write where. Reads the first MiB, in which the front matter must end.
absl::Status CheckCardSaysEmbedding(const std::filesystem::path& dir);

}  // namespace attendant
