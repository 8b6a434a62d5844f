#include "engine/tasks/translator.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/base/thread_pool.h"
#include "engine/tasks/decode_executor.h"
#include "engine/tasks/loaded_model.h"
#include "engine/tasks/open_texts.h"
#include "engine/tasks/shared_executor.h"
#include "engine/tasks/text_job.h"
#include "engine/tasks/text_parts.h"
#include "engine/tasks/translation.h"
#include "engine/tasks/worker_threads.h"

namespace attendant {
namespace {

constexpr int64_t kDefaultKvCacheBytes = int64_t{512} << 20;
constexpr int64_t kMaxPreparingBytes = int64_t{64} << 20;
constexpr int32_t kMaxWorkers = 1024;

absl::Status CheckOptions(const TranslatorOptions& options) {
  const auto check = [](const char* name, int64_t value, int64_t low) {
    return value >= low
               ? absl::OkStatus()
               : absl::InvalidArgumentError(absl::StrCat(name, " is ", value, "; it must be at least ", low));
  };
  if (options.num_workers > kMaxWorkers) {
    return absl::InvalidArgumentError(
        absl::StrCat("num_workers is ", options.num_workers, "; at most ", kMaxWorkers, " are allowed"));
  }
  ATTENDANT_RETURN_IF_ERROR(check("num_workers", options.num_workers, 0));
  ATTENDANT_RETURN_IF_ERROR(check("kv_cache_bytes", options.kv_cache_bytes, 0));
  ATTENDANT_RETURN_IF_ERROR(check("max_text_bytes", options.max_text_bytes, 1));
  ATTENDANT_RETURN_IF_ERROR(check("max_sentences", options.max_sentences, 1));
  ATTENDANT_RETURN_IF_ERROR(check("max_answer_bytes", options.max_answer_bytes, 1));
  ATTENDANT_RETURN_IF_ERROR(check("tokenize_threads", options.tokenize_threads, 1));
  ATTENDANT_RETURN_IF_ERROR(check("scheduler.max_queue", options.scheduler.max_queue, 1));
  ATTENDANT_RETURN_IF_ERROR(check("scheduler.completion_threads", options.scheduler.completion_threads, 1));
  ATTENDANT_RETURN_IF_ERROR(check("scheduler.limits.max_rows", options.scheduler.limits.max_rows, 1));
  return check("scheduler.limits.max_encode_tokens", options.scheduler.limits.max_encode_tokens, 1);
}

EncodePipelineOptions PipelineOptionsOf(const TranslatorOptions& options) {
  EncodePipelineOptions result;
  result.num_workers = options.num_workers;
  result.scheduler = options.scheduler;
  result.max_input_bytes = options.max_text_bytes;
  result.prepare_threads = options.tokenize_threads;
  return result;
}

// One worker's.
std::unique_ptr<StepExecutor> MakeExecutor(const Seq2Seq& model, KvPool pool,
                                           const std::optional<TextParts>& text_parts, const Clock& clock) {
  auto decode = std::make_unique<DecodeExecutor>(model, std::move(pool), clock);
  if (!text_parts.has_value()) return decode;
  const auto make_encode = [&](const EncodeExecutor::Place& place) {
    return std::make_unique<TextExecutor>(*text_parts->encoder, place);
  };
  return std::make_unique<SharedExecutor>(std::move(decode), make_encode, clock);
}

class TranslatorImpl final : public Translator {
 public:
  TranslatorImpl(LoadedModel model, std::optional<TextParts> text_parts,
                 std::vector<std::unique_ptr<StepExecutor>> executors, const TranslatorOptions& options,
                 SchedulerObserver& observer, const Clock& clock)
      : options_(options),
        model_(std::move(model)),
        open_texts_({options.scheduler.max_queue, kMaxPreparingBytes}),
        threads_(std::make_unique<ThreadPool>("text", options.tokenize_threads)),
        scheduler_(options.scheduler, std::move(executors), observer, clock),
        shared_{model_,   scheduler_, open_texts_,           *threads_,
                observer, clock,      options.max_sentences, options.max_answer_bytes} {
    if (!text_parts.has_value()) return;
    embedder_ =
        MakeTextModel(*std::move(text_parts), PipelineOptionsOf(options), scheduler_, observer, clock);
  }

  ~TranslatorImpl() override {
    open_texts_.Close();
    scheduler_.Shutdown();
    threads_ = nullptr;  // Answers what is left: the scheduler refuses it now.
    embedder_ = nullptr;
  }

  const Info& info() const override { return model_.info; }

  CancelHandle Translate(TranslationRequest request, TranslationEvents events, Done done) override {
    if (absl::Status admitted = Admit(static_cast<int64_t>(request.text.size())); !admitted.ok()) {
      std::move(done)(std::move(admitted));
      return {};
    }
    const auto translation =
        std::make_shared<Translation>(shared_, std::move(request), std::move(events), std::move(done));
    translation->Begin();
    return CancelHandle([weak = std::weak_ptr<Translation>(translation)] {
      if (const auto alive = weak.lock()) alive->Cancel();
    });
  }

  TextModel* embedder() override { return embedder_.get(); }

  bool Drain(Duration timeout) override {
    const TimePoint begin = shared_.clock.Now();
    open_texts_.Close();
    if (embedder_ != nullptr) embedder_->Drain(Duration::zero());  // Closes it.
    if (!open_texts_.WaitUntilNone(timeout)) return false;
    return embedder_ == nullptr || embedder_->Drain(timeout - (shared_.clock.Now() - begin));
  }

  const Scheduler& scheduler() const override { return scheduler_; }

 private:
  absl::Status Admit(int64_t text_bytes) {
    if (text_bytes > options_.max_text_bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("text: ", text_bytes, " bytes; at most ", options_.max_text_bytes, " are allowed"));
    }
    return open_texts_.Enter(text_bytes);
  }

  const TranslatorOptions options_;
  const LoadedModel model_;
  OpenTexts open_texts_;
  std::unique_ptr<ThreadPool> threads_;
  Scheduler scheduler_;
  const Translation::Shared shared_;
  std::unique_ptr<TextModel> embedder_;  // Null: the model does not say that it embeds.
};

}  // namespace

absl::StatusOr<std::unique_ptr<Translator>> Translator::Load(const std::filesystem::path& dir,
                                                             const TranslatorOptions& options,
                                                             SchedulerObserver& observer,
                                                             const Clock& clock) {
  ATTENDANT_RETURN_IF_ERROR(CheckOptions(options));
  const TimePoint begin = clock.Now();
  ATTENDANT_ASSIGN_OR_RETURN(LoadedModel model, LoadTranslationModel(dir));

  ATTENDANT_ASSIGN_OR_RETURN(std::optional<TextParts> text_parts, LoadTextParts(dir, model));

  const int32_t num_workers = NumWorkers(options.num_workers);
  const int64_t kv_bytes = options.kv_cache_bytes > 0 ? options.kv_cache_bytes : kDefaultKvCacheBytes;
  std::vector<std::unique_ptr<StepExecutor>> executors;
  for (int32_t i = 0; i < num_workers; ++i) {
    ATTENDANT_ASSIGN_OR_RETURN(KvPool pool, KvPool::Create(model.seq2seq->info().kv, kv_bytes / num_workers));
    model.info.kv_cache_bytes +=
        static_cast<int64_t>(pool.geometry().block_bytes()) * static_cast<int64_t>(pool.num_blocks());
    executors.push_back(MakeExecutor(*model.seq2seq, std::move(pool), text_parts, clock));
  }
  model.info.num_workers = num_workers;
  model.info.load_time = clock.Now() - begin;
  if (text_parts.has_value()) {
    text_parts->info.num_workers = num_workers;
    text_parts->info.load_time = model.info.load_time;
  }
  TranslatorOptions pinned = options;
  pinned.scheduler = WithPinning(options.scheduler, num_workers);
  return std::make_unique<TranslatorImpl>(std::move(model), std::move(text_parts), std::move(executors),
                                          pinned, observer, clock);
}

}  // namespace attendant
