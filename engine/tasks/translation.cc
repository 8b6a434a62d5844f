#include "engine/tasks/translation.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/tasks/assembly.h"
#include "engine/tasks/decoding_defaults.h"

namespace attendant {

Translation::Translation(const Shared& shared, TranslationRequest request, TranslationEvents events,
                         Translator::Done done)
    : shared_(shared),
      queue_(SerialQueue::Create(shared.threads)),
      begin_(shared.clock.Now()),
      request_(std::move(request)),
      events_(std::move(events)),
      done_(std::move(done)) {}

void Translation::Begin() {
  queue_->Post([self = shared_from_this()] { self->Prepare(); });
}

void Translation::Cancel() {
  is_cancelled_.store(true);
  CancelJobs();
}

void Translation::CancelJobs() {
  std::lock_guard lock(jobs_mutex_);
  for (const std::weak_ptr<TranslationJob>& weak : jobs_) {
    if (const auto job = weak.lock()) job->Cancel();
  }
}

void Translation::Prepare() {
  const auto text_bytes = static_cast<int64_t>(request_.text.size());
  std::vector<std::shared_ptr<Job>> jobs;
  try {
    error_ = PrepareSentences();
    if (error_.ok()) {
      auto made = MakeJobs();
      if (made.ok()) {
        jobs = *std::move(made);
      } else {
        error_ = made.status();
      }
    }
  } catch (const std::exception& e) {  // std::bad_alloc
    error_ = absl::InternalError(absl::StrCat("preparing the text failed: ", e.what()));
  }
  submitted_ = shared_.clock.Now();
  result_.timing.tokenize = submitted_ - begin_;
  shared_.open_texts.NotePrepared(text_bytes);  // First: whoever has an answer finds its place free.
  if (error_.ok()) Submit(std::move(jobs));
  if (num_open_ == 0) Finish();
}

absl::Status Translation::CancelledInQueue() {
  shared_.observer.OnDrop(DropReason::kCancelledInQueue);
  return absl::CancelledError("the request was cancelled");
}

absl::Status Translation::PrepareSentences() {
  if (is_cancelled_.load()) return CancelledInQueue();
  if (request_.deadline <= shared_.clock.Now()) {
    shared_.observer.OnDrop(DropReason::kExpiredInQueue);
    return absl::DeadlineExceededError("the deadline passed before the text was split");
  }
  const LoadedModel& model = shared_.model;
  const DecodingOptions& defaults = model.info.default_decoding;
  ATTENDANT_ASSIGN_OR_RETURN(
      options_, ResolveOptions(defaults, request_.options, *model.tokenizer, model.seq2seq->info()));
  first_prefix_ = TargetPrefix(defaults, request_.options, *model.tokenizer);
  ATTENDANT_ASSIGN_OR_RETURN(PreparedText text,
                             PrepareText(request_.text, request_.options.split,
                                         {.tokenizer = *model.tokenizer,
                                          .locale = model.info.source_language,
                                          .max_source_tokens = model.info.max_source_tokens,
                                          .max_sentences = shared_.max_sentences}));
  prepared_ = std::move(text.sentences);
  result_.text = std::move(text.text);
  result_.halved_sentences = text.halved_sentences;
  result_.replacement_characters = text.replacement_characters;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::shared_ptr<Job>>> Translation::MakeJobs() {
  std::vector<std::shared_ptr<Job>> jobs;
  std::vector<std::weak_ptr<TranslationJob>> weak(prepared_.size());
  result_.sentences.resize(prepared_.size());
  for (size_t i = 0; i < prepared_.size(); ++i) {
    if (prepared_[i].ids.empty()) {
      ATTENDANT_RETURN_IF_ERROR(TakeSentence(i, {}));
      ready_.push_back(i);
      continue;
    }
    ATTENDANT_ASSIGN_OR_RETURN(std::shared_ptr<TranslationJob> job, MakeJob(i));
    weak[i] = job;
    jobs.push_back(std::move(job));
  }
  std::lock_guard lock(jobs_mutex_);
  jobs_ = std::move(weak);
  return jobs;
}

absl::StatusOr<std::shared_ptr<TranslationJob>> Translation::MakeJob(size_t index) {
  SequenceRequest sequence_request{.source_tokens = prepared_[index].ids, .options = options_};
  if (index == 0) sequence_request.options.target_prefix = first_prefix_;
  ATTENDANT_ASSIGN_OR_RETURN(std::unique_ptr<Sequence> sequence,
                             Sequence::Create(std::move(sequence_request), shared_.model.seq2seq->info()));
  TranslationJob::Hooks hooks;
  hooks.on_done = [self = shared_from_this(), index](JobOutcome outcome) mutable {
    SerialQueue& queue = *self->queue_;
    queue.Post([self = std::move(self), index, outcome = std::move(outcome)]() mutable {
      self->OnOutcome(index, std::move(outcome));
    });
  };
  if (events_.on_growing_text && options_.beam_size == 1) {
    hooks.on_growth = [self = shared_from_this(), index] {
      self->queue_->Post([self, index] { self->OnGrowth(index); });
    };
  }
  return std::make_shared<TranslationJob>(std::move(sequence), request_.priority, request_.deadline,
                                          std::move(hooks));
}

void Translation::Submit(std::vector<std::shared_ptr<Job>> jobs) {
  if (is_cancelled_.load()) {  // From here on Cancel finds the jobs.
    error_ = CancelledInQueue();
    return;
  }
  const size_t count = jobs.size();
  error_ = shared_.scheduler.SubmitAll(std::move(jobs));
  if (!error_.ok()) return;
  num_open_ = count;
  for (const size_t index : ready_) TellSentence(index);
}

void Translation::OnGrowth(size_t index) {
  if (!error_.ok() || is_cancelled_.load()) return;
  std::shared_ptr<TranslationJob> job;
  {
    std::lock_guard lock(jobs_mutex_);
    job = jobs_[index].lock();
  }
  if (job == nullptr) return;  // The sentence itself is on its way.
  events_.on_growing_text(static_cast<int32_t>(index), shared_.model.tokenizer->Decode(job->TakeGrowth()));
}

void Translation::OnOutcome(size_t index, JobOutcome outcome) {
  absl::Status status;
  try {
    status = TakeOutcome(index, std::move(outcome));
  } catch (const std::exception& e) {  // std::bad_alloc
    status = absl::InternalError(absl::StrCat("assembling the answer failed: ", e.what()));
  }
  if (!status.ok() && error_.ok()) {
    error_ = std::move(status);
    CancelJobs();  // The rest of the text has lost its use.
  }
  if (--num_open_ == 0) Finish();
}

absl::Status Translation::TakeOutcome(size_t index, JobOutcome outcome) {
  if (!outcome.logits_were_finite) shared_.observer.OnNotFinite();
  ATTENDANT_RETURN_IF_ERROR(outcome.status);
  if (!error_.ok()) return absl::OkStatus();  // Nobody will read it.
  TakeTimes(outcome.times);
  ATTENDANT_RETURN_IF_ERROR(TakeSentence(index, std::move(outcome.hypotheses)));
  TellSentence(index);
  return absl::OkStatus();
}

void Translation::TakeTimes(const JobTimes& times) {
  PhaseTiming& timing = result_.timing;
  timing.queue = std::max(timing.queue, times.started - submitted_);
  timing.encode = std::max(timing.encode, times.encoded - times.started);
  if (times.first_token == TimePoint()) return;  // It needed no step.
  const Duration first_token = times.first_token - begin_;
  if (timing.first_token == Duration() || first_token < timing.first_token) timing.first_token = first_token;
}

absl::Status Translation::TakeSentence(size_t index, std::vector<Hypothesis> hypotheses) {
  SentenceTranslation& sentence = result_.sentences[index];
  sentence = AssembleSentence(std::move(prepared_[index]), std::move(hypotheses),
                              {.tokenizer = *shared_.model.tokenizer,
                               .options = request_.options,
                               .is_last = index + 1 == prepared_.size()});
  result_.input_tokens += sentence.source_length_tokens;
  result_.output_tokens += static_cast<int32_t>(sentence.hypotheses.front().token_ids.size());
  result_.answer_bytes += SizeBytes(sentence);
  if (result_.answer_bytes <= shared_.max_answer_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("text: its answer is larger than ", shared_.max_answer_bytes,
                   " bytes; ask for fewer hypotheses or no alignment, or send it in parts"));
}

void Translation::TellSentence(size_t index) {
  if (events_.on_sentence) events_.on_sentence(static_cast<int32_t>(index), result_.sentences[index]);
}

void Translation::Finish() {
  if (!error_.ok()) return Answer(error_);
  try {
    if (!result_.sentences.empty()) result_.text = JoinSentences(result_.sentences);
  } catch (const std::bad_alloc&) {
    return Answer(absl::InternalError("no memory to join the sentences of the answer"));
  }
  result_.timing.total = shared_.clock.Now() - begin_;
  Answer(std::move(result_));
}

void Translation::Answer(absl::StatusOr<TranslationResult> result) {
  events_ = {};
  Translator::Done done = std::move(done_);
  std::move(done)(std::move(result));
  done = nullptr;  // What it holds is free when the drain says so.
  shared_.open_texts.NoteAnswered();
}

}  // namespace attendant
