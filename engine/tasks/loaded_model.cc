#include "engine/tasks/loaded_model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/json_fields.h"
#include "engine/base/status_macros.h"
#include "engine/base/strict_json.h"
#include "engine/models/generation_config.h"
#include "engine/models/marian_config.h"
#include "engine/models/registry.h"
#include "engine/models/seq2seq_encoder.h"
#include "engine/tasks/decoding_defaults.h"
#include "engine/tasks/model_card.h"
#include "engine/tasks/source_tokenizer.h"
#include "engine/text/marian_tokenizer.h"

namespace attendant {
namespace {

constexpr uint64_t kMaxTokenizerConfigBytes = 16 << 20;

struct Languages {
  std::string source;
  std::string target;
};

// "source_lang" and "target_lang" of tokenizer_config.json, where the model says them.
absl::StatusOr<Languages> ReadLanguages(const std::filesystem::path& dir) {
  constexpr char kFile[] = "tokenizer_config.json";
  const std::string path = dir / kFile;
  Languages languages;
  const absl::StatusOr<std::string> text = ReadTextFileWithin(dir, kFile, kMaxTokenizerConfigBytes);
  if (absl::IsNotFound(text.status())) return languages;
  ATTENDANT_RETURN_IF_ERROR(text.status());
  ATTENDANT_ASSIGN_OR_RETURN(const nlohmann::json json, ParseStrictJson(*text, path, JsonLimits()));
  JsonFields fields(json, path);
  fields.Read("source_lang", languages.source);
  fields.Read("target_lang", languages.target);
  ATTENDANT_RETURN_IF_ERROR(fields.status());
  return languages;
}

absl::Status CheckVocabularies(const LoadedModel& model) {
  const int32_t ids = model.tokenizer->vocab_size();
  const int32_t rows = model.seq2seq->info().source_vocab_size;
  if (ids <= rows) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the tokenizer has ", ids, " ids and the model embeds ",
                                                    rows,
                                                    ": vocab.json and config.json are not of one model"));
}

void FillSizes(const Seq2Seq::Info& sizes, Translator::Info& info) {
  info.num_parameters = sizes.num_parameters;
  info.weights_bytes = sizes.weights_bytes;
  info.max_source_tokens = sizes.max_source_tokens;
  info.max_target_tokens = sizes.max_target_tokens;
  info.vocab_size = sizes.vocab_size;
}

}  // namespace

absl::StatusOr<LoadedModel> LoadTranslationModel(const std::filesystem::path& dir) {
  LoadedModel model;
  ATTENDANT_ASSIGN_OR_RETURN(model.info.architecture, ReadModelType(dir));
  ATTENDANT_ASSIGN_OR_RETURN(model.seq2seq, LoadSeq2Seq(dir));
  ATTENDANT_ASSIGN_OR_RETURN(model.tokenizer, LoadMarianTokenizer(dir));
  ATTENDANT_RETURN_IF_ERROR(CheckVocabularies(model));

  const Seq2Seq::Info& sizes = model.seq2seq->info();
  ATTENDANT_ASSIGN_OR_RETURN(const MarianConfig config, LoadMarianConfig(dir.string()));
  ATTENDANT_ASSIGN_OR_RETURN(const GenerationConfig generation,
                             LoadGenerationConfig(dir.string(), {sizes.vocab_size, config.tokens}));
  model.info.default_decoding = DefaultDecoding(generation, sizes, model.tokenizer->unk_id());
  model.info.ignored_generation_keys = IgnoredGenerationKeys(generation);
  if (const absl::Status status = Check(model.info.default_decoding, sizes.vocab_size); !status.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat((dir / "generation_config.json").string(), ": ", std::string(status.message())));
  }
  ATTENDANT_ASSIGN_OR_RETURN(Languages languages, ReadLanguages(dir));
  model.info.source_language = std::move(languages.source);
  model.info.target_language = std::move(languages.target);
  FillSizes(sizes, model.info);
  return model;
}

absl::StatusOr<std::optional<TextParts>> LoadTextParts(const std::filesystem::path& dir, LoadedModel& model) {
  ATTENDANT_ASSIGN_OR_RETURN(SentenceModules modules,
                             SentenceModules::Load(dir, model.seq2seq->info().hidden_dim));
  if (!modules.is_of_sentence_transformers()) {
    if (const absl::Status says = CheckCardSaysEmbedding(dir); !says.ok()) {
      model.info.why_not_embedding = std::string(says.message());
      return std::nullopt;
    }
  }
  if (modules.lowercases()) {
    return absl::FailedPreconditionError(
        "do_lower_case of sentence-transformers is not supported with the tokenizer of a translation model");
  }
  return FitTextParts(EncoderOf(model.seq2seq, model.info.architecture), SourceTokenizer(model.tokenizer),
                      std::move(modules));
}

}  // namespace attendant
