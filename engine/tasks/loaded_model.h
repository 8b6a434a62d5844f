#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/models/seq2seq.h"
#include "engine/tasks/translator.h"
#include "engine/text/tokenizer.h"

namespace attendant {

// A translation model as its directory holds it. Immutable: thread-safe.
struct LoadedModel {
  std::unique_ptr<Seq2Seq> seq2seq;
  std::unique_ptr<Tokenizer> tokenizer;
  Translator::Info info;  // All but what the workers and the cache are.
};

// Errors: as Translator::Load.
absl::StatusOr<LoadedModel> LoadTranslationModel(const std::filesystem::path& dir);

}  // namespace attendant
