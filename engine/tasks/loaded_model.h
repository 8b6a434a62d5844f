#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "engine/models/seq2seq.h"
#include "engine/tasks/text_parts.h"
#include "engine/tasks/translator.h"
#include "engine/text/tokenizer.h"

namespace attendant {

// A translation model as its directory holds it. Immutable: thread-safe.
struct LoadedModel {
  std::shared_ptr<const Seq2Seq> seq2seq;
  std::shared_ptr<const Tokenizer> tokenizer;
  Translator::Info info;  // All but what the workers and the cache are.
};

// Errors: as Translator::Load.
absl::StatusOr<LoadedModel> LoadTranslationModel(const std::filesystem::path& dir);

// The encoder of `model`, which `dir` holds, as a text encoder: the same weights, the source's tokens, and on
// top what sentence-transformers' modules.json says, or else the mean of all tokens' states. Nothing, and
// model.info says why, where there is no modules.json and the model's card does not say that it is for
// embeddings. Errors: as SentenceModules::Load.
absl::StatusOr<std::optional<TextParts>> LoadTextParts(const std::filesystem::path& dir, LoadedModel& model);

}  // namespace attendant
