#include "engine/tasks/text_model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/models/registry.h"
#include "engine/tasks/class_scores.h"
#include "engine/tasks/sentence_modules.h"
#include "engine/tasks/text_job.h"
#include "engine/tasks/text_parts.h"
#include "engine/tasks/word_labels.h"
#include "engine/tasks/worker_threads.h"
#include "engine/text/hf/hf_tokenizer.h"

namespace attendant {
namespace {

absl::Status CheckFit(const SequenceTokenizer& tokenizer, const TextEncoder::Info& encoder) {
  if (tokenizer.end_id() <= encoder.vocab_size) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the tokenizer has ", tokenizer.end_id(),
                                                    " ids and the model embeds ", encoder.vocab_size,
                                                    ": tokenizer and config.json are not of one model"));
}

// A tokenizer.json may add what it likes, whatever limit it was given: the model's tables must have it.
absl::StatusOr<Encoding> CheckedForModel(Encoding encoding, const TextEncoder::Info& encoder) {
  if (encoding.size() > static_cast<size_t>(encoder.max_tokens)) {
    return absl::FailedPreconditionError("the model's tokenizer makes more tokens than the model takes");
  }
  const auto is_wrong = [&](int32_t type) { return type < 0 || type >= encoder.num_types; };
  if (encoder.num_types > 0 && std::any_of(encoding.type_ids.begin(), encoding.type_ids.end(), is_wrong)) {
    return absl::FailedPreconditionError(
        "the model's tokenizer uses token types that the model does not have");
  }
  return encoding;
}

// The tokens that the prompt alone makes, without the one that the tokeniser puts at the end: the text may
// make others of the prompt's last ones, and sentence-transformers counts the same.
absl::StatusOr<std::map<std::string, int32_t>> SkippedByPrompt(const SequenceTokenizer& tokenizer,
                                                               const SentenceModules& modules,
                                                               int32_t max_tokens) {
  std::map<std::string, int32_t> skipped;
  if (modules.pools_prompt()) return skipped;
  for (const auto& [name, prompt] : modules.prompts()) {
    if (prompt.empty()) continue;
    ATTENDANT_ASSIGN_OR_RETURN(const Encoding encoding, tokenizer.Encode(prompt, {.add_special_tokens = true,
                                                                                  .max_tokens = max_tokens}));
    const bool ends_special = encoding.size() > 0 && encoding.sequence.back() < 0;
    skipped[prompt] = static_cast<int32_t>(encoding.size()) - (ends_special ? 1 : 0);
  }
  return skipped;
}

absl::Status NotFinite(SchedulerObserver& observer) {
  observer.OnNotFinite();
  return absl::InternalError("the model's answer is not finite");
}

class TextModelImpl final : public TextModel {
 public:
  TextModelImpl(TextParts parts, const EncodePipelineOptions& options, SchedulerObserver& observer,
                const Clock& clock)
      : loaded_(std::move(parts)),
        observer_(observer),
        pipeline_(
            options,
            [this](const EncodeExecutor::Place& place) {
              return std::make_unique<TextExecutor>(*loaded_.encoder, place);
            },
            observer, clock) {}
  TextModelImpl(TextParts parts, const EncodePipelineOptions& options, Scheduler& scheduler,
                SchedulerObserver& observer, const Clock& clock)
      : loaded_(std::move(parts)), observer_(observer), pipeline_(options, scheduler, observer, clock) {}

  const Info& info() const override { return info_; }
  bool Drain(Duration timeout) override { return pipeline_.Drain(timeout); }
  const Scheduler& scheduler() const override { return pipeline_.scheduler(); }

  CancelHandle Embed(EmbedTextRequest request, Done<TextEmbedding> done) override {
    const absl::Status status = CheckEmbed(request);
    if (!status.ok()) {
      std::move(done)(status);
      return {};
    }
    const int64_t given_bytes = Bytes(request);
    const bool normalizes = request.normalize.value_or(info_.normalizes);
    const auto dimensions =
        static_cast<size_t>(request.dimensions > 0 ? request.dimensions : info_.embedding_dim);
    const std::string prompt = PromptOf(request);
    request.text = prompt + request.text;
    const auto found = loaded_.skipped.find(prompt);
    const int32_t skipped = found == loaded_.skipped.end() ? 0 : found->second;
    return Run<TextEmbedding>(
        std::move(request), given_bytes, std::move(done),
        [this, normalizes, dimensions, skipped](const float* hidden, const Encoding& encoding,
                                                Workspace& workspace, TextEmbedding& answer) {
          answer.values.resize(static_cast<size_t>(info_.embedding_dim));
          loaded_.modules.Embed(hidden, static_cast<int32_t>(encoding.size()), skipped, answer.values.data(),
                                workspace);
          answer.values.resize(dimensions);
          if (normalizes) NormalizeLength(absl::MakeSpan(answer.values));
          return AllFinite(answer.values);
        });
  }

  CancelHandle Classify(TextRequest request, Done<TextClasses> done) override {
    const absl::Status status = CheckHead(TextHead::kSequence);
    if (!status.ok()) {
      std::move(done)(status);
      return {};
    }
    const int64_t bytes = Bytes(request);
    return Run<TextClasses>(
        std::move(request), bytes, std::move(done),
        [this](const float* hidden, const Encoding& encoding, Workspace& workspace, TextClasses& answer) {
          const TextEncoder::Info& encoder = info_.encoder;
          answer.logits.resize(encoder.labels.size());
          loaded_.encoder->Classify(hidden, static_cast<int32_t>(encoding.size()), answer.logits.data(),
                                    workspace);
          answer.probabilities = encoder.is_multi_label ? Sigmoid(answer.logits) : Softmax(answer.logits);
          return AllFinite(answer.logits);
        });
  }

  CancelHandle Label(TextRequest request, Done<TextLabels> done) override {
    const absl::Status status = CheckHead(TextHead::kTokens);
    if (!status.ok()) {
      std::move(done)(status);
      return {};
    }
    const int64_t bytes = Bytes(request);
    return Run<TextLabels>(
        std::move(request), bytes, std::move(done),
        [this](const float* hidden, const Encoding& encoding, Workspace& workspace, TextLabels& answer) {
          const std::vector<std::string>& labels = info_.encoder.labels;
          const auto logits = workspace.Alloc<float>(encoding.size() * labels.size());
          loaded_.encoder->Classify(hidden, static_cast<int32_t>(encoding.size()), logits.data(), workspace);
          if (!AllFinite(logits)) return false;
          answer.words = LabelWords(encoding, logits, labels.size());
          answer.entities = MergeEntities(answer.words, labels);
          return true;
        });
  }

 private:
  static int64_t Bytes(const TextRequest& request) { return static_cast<int64_t>(request.text.size()); }

  template <typename Answer>
  using Compute = absl::AnyInvocable<bool(const float* hidden, const Encoding& encoding, Workspace& workspace,
                                          Answer& answer)>;

  // What an answer is collected in, from the preparing thread over the worker's to the completion.
  template <typename Answer>
  struct Open {
    TextRequest request;
    Done<Answer> done;
    Compute<Answer> compute;  // False: what came out is not finite.
    Answer answer;
    bool is_finite = true;
  };

  template <typename Answer>
  CancelHandle Run(TextRequest request, int64_t given_bytes, Done<Answer> done, Compute<Answer> compute) {
    const auto open = std::make_shared<Open<Answer>>();
    open->request = std::move(request);
    open->done = std::move(done);
    open->compute = std::move(compute);
    EncodePipeline::Input input;
    input.bytes = given_bytes;
    input.priority = open->request.priority;
    input.deadline = open->request.deadline;
    input.prepare = [this, open](EncodeJob::Done job_done) -> absl::StatusOr<std::shared_ptr<EncodeJob>> {
      ATTENDANT_ASSIGN_OR_RETURN(Encoding encoding, Tokenize(open->request));
      open->answer.tokens = static_cast<int32_t>(encoding.size());
      open->answer.truncated = encoding.truncated;
      auto copy = std::make_shared<const Encoding>(encoding);
      return std::make_shared<TextJob>(
          std::move(encoding), open->request.priority, open->request.deadline,
          [open, copy](const float* hidden, Workspace& workspace) {
            open->is_finite = open->compute(hidden, *copy, workspace, open->answer);
          },
          std::move(job_done));
    };
    input.done = [this, open](absl::Status status, const EncodeTiming& timing) {
      if (status.ok() && !open->is_finite) status = NotFinite(observer_);
      open->answer.timing = timing;
      if (status.ok()) {
        std::move(open->done)(std::move(open->answer));
      } else {
        std::move(open->done)(std::move(status));
      }
    };
    return pipeline_.Run(std::move(input));
  }

  absl::StatusOr<Encoding> Tokenize(const TextRequest& request) const {
    const std::string& text = request.text;
    absl::StatusOr<Encoding> made =
        loaded_.tokenizer->Encode(text, {.add_special_tokens = true, .max_tokens = info_.max_tokens});
    // This text is too much for this tokeniser, now and later.
    if (absl::IsResourceExhausted(made.status())) return absl::InvalidArgumentError(made.status().message());
    ATTENDANT_ASSIGN_OR_RETURN(Encoding encoding, std::move(made));
    if (encoding.truncated && request.truncation == Truncation::kRefuse) {
      return absl::InvalidArgumentError(
          absl::StrCat("text: longer than the model's ", info_.max_tokens, " tokens"));
    }
    if (encoding.size() == 0) return absl::InvalidArgumentError("text: has no tokens; give some text");
    return CheckedForModel(std::move(encoding), info_.encoder);
  }

  absl::Status CheckEmbed(const EmbedTextRequest& request) const {
    if (request.dimensions < 0 || request.dimensions > info_.embedding_dim) {
      return absl::InvalidArgumentError(absl::StrCat("dimensions: ", request.dimensions,
                                                     " is not in its range, 0 to ", info_.embedding_dim));
    }
    if (request.prompt.empty() || loaded_.modules.prompts().count(request.prompt) > 0)
      return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("prompt: the model has none of this name; it has ",
                     info_.prompts.empty() ? "none" : "those that GetModel lists"));
  }

  absl::Status CheckHead(TextHead head) const {
    if (info_.encoder.head == head) return absl::OkStatus();
    return absl::FailedPreconditionError(head == TextHead::kTokens ? "the model does not label tokens"
                                                                   : "the model does not classify texts");
  }

  std::string PromptOf(const EmbedTextRequest& request) const {
    const std::string& name = request.prompt.empty() ? loaded_.modules.default_prompt() : request.prompt;
    const auto found = loaded_.modules.prompts().find(name);
    return found == loaded_.modules.prompts().end() ? "" : found->second;
  }

  const TextParts loaded_;
  const Info& info_ = loaded_.info;
  SchedulerObserver& observer_;
  EncodePipeline pipeline_;
};

}  // namespace

absl::StatusOr<TextParts> FitTextParts(std::unique_ptr<TextEncoder> encoder,
                                       std::unique_ptr<SequenceTokenizer> tokenizer,
                                       SentenceModules modules) {
  ATTENDANT_RETURN_IF_ERROR(CheckFit(*tokenizer, encoder->info()));
  TextModel::Info info;
  info.encoder = encoder->info();
  info.is_for_embedding = info.encoder.head == TextHead::kNone || modules.is_of_sentence_transformers();
  info.embedding_dim = modules.embedding_dim();
  info.max_tokens = info.encoder.max_tokens;
  if (modules.max_tokens() > 0) info.max_tokens = std::min(info.max_tokens, modules.max_tokens());
  if (info.max_tokens <= tokenizer->num_special_tokens()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the model takes ", info.max_tokens, " tokens, which its special tokens already are"));
  }
  ATTENDANT_ASSIGN_OR_RETURN(auto skipped, SkippedByPrompt(*tokenizer, modules, info.max_tokens));
  info.normalizes = modules.normalizes();
  for (const auto& [name, prompt] : modules.prompts()) info.prompts.push_back(name);
  return TextParts{std::move(encoder), std::move(tokenizer), std::move(modules), std::move(skipped),
                   std::move(info)};
}

std::unique_ptr<TextModel> MakeTextModel(TextParts parts, const EncodePipelineOptions& options,
                                         Scheduler& scheduler, SchedulerObserver& observer,
                                         const Clock& clock) {
  return std::make_unique<TextModelImpl>(std::move(parts), options, scheduler, observer, clock);
}

absl::StatusOr<std::unique_ptr<TextModel>> TextModel::Load(const std::filesystem::path& dir,
                                                           const EncodePipelineOptions& options,
                                                           SchedulerObserver& observer, const Clock& clock) {
  const TimePoint begin = clock.Now();
  ATTENDANT_ASSIGN_OR_RETURN(std::unique_ptr<TextEncoder> encoder, LoadTextEncoder(dir));
  ATTENDANT_ASSIGN_OR_RETURN(SentenceModules modules, SentenceModules::Load(dir, encoder->info().hidden_dim));
  const TextCase text_case = modules.lowercases() ? TextCase::kLower : TextCase::kAsGiven;
  ATTENDANT_ASSIGN_OR_RETURN(std::unique_ptr<TextTokenizer> tokenizer,
                             LoadHfTokenizer(dir.string(), text_case));
  ATTENDANT_ASSIGN_OR_RETURN(TextParts parts,
                             FitTextParts(std::move(encoder), std::move(tokenizer), std::move(modules)));
  parts.info.num_workers = NumWorkers(options.num_workers);
  parts.info.load_time = clock.Now() - begin;
  return std::make_unique<TextModelImpl>(std::move(parts), options, observer, clock);
}

}  // namespace attendant
