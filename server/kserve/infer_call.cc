#include "server/kserve/infer_call.h"

#include <algorithm>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/tasks/sentence_modules.h"
#include "server/grpc_status.h"
#include "server/kserve/infer_structure.h"
#include "server/kserve/served_version.h"
#include "server/message.h"
#include "server/request_checks.h"
#include "server/translate_call.h"

namespace attendant::kserve {

InferCall::InferCall(const ServiceContext& services, grpc::CallbackServerContext& context,
                     grpc::ByteBuffer& response)
    : services_(services),
      context_(context),
      response_(response),
      stall_(services.stall_watch, context),
      scope_(services, context, Method::kModelInfer),
      deadline_(DeadlineOf(context, services.clock, services.limits)),
      submissions_(
          std::make_shared<Submissions>([this](absl::Status status) { OnAllDone(std::move(status)); })) {}

void InferCall::Start(const grpc::ByteBuffer& request) {
  const absl::Status status = Prepare(request);
  if (!status.ok()) {
    AddRetryHint(status, model_, context_);
    return FinishWith(status);
  }
  // The last answer may come, and this be deleted, before Close returns.
  const std::shared_ptr<Submissions> submissions = submissions_;
  SubmitAll(*submissions);
  submissions->Close();
}

absl::Status InferCall::Prepare(const grpc::ByteBuffer& request) {
  if (!scope_.admitted().ok()) return scope_.admitted();
  ATTENDANT_ASSIGN_OR_RETURN(ParsedInferRequest parsed,
                             ParseInferRequest(request, LimitsOf(services_.limits)));
  ATTENDANT_ASSIGN_OR_RETURN(model_, FindReadyModel(services_.registry, parsed.message.model_name(),
                                                    parsed.message.model_version()));
  scope_.SetModel(model_);
  ATTENDANT_ASSIGN_OR_RETURN(plan_, PlanInfer(services_.limits, model_, std::move(parsed)));
  scope_.SetTexts(static_cast<int>(plan_.input.elements.size()));
  if (plan_.parameters.timeout.has_value()) {
    deadline_ = std::min(deadline_, services_.clock.Now() + *plan_.parameters.timeout);
  }
  answers_.resize(plan_.input.elements.size());
  return CheckAdmission(model_, static_cast<int>(answers_.size()), deadline_);
}

void InferCall::SubmitAll(Submissions& submissions) {
  for (size_t i = 0; i < answers_.size(); ++i) {
    std::string& element = plan_.input.elements[i];
    int left = plan_.NumTasks();
    const auto next = [&] { return --left > 0 ? element : std::move(element); };
    if (plan_.WantsTranslation()) submissions.Submit([&] { return Translate(i, next()); });
    if (plan_.WantsEmbedding()) submissions.Submit([&] { return Embed(i, next()); });
    if (plan_.WantsClasses()) submissions.Submit([&] { return Classify(i, next()); });
  }
}

template <typename Task>
Task InferCall::MakeTask(std::string element) const {
  Task task;
  if constexpr (std::is_base_of_v<TextRequest, Task>) {
    task.text = std::move(element);
    task.truncation = plan_.parameters.truncation;
  } else {
    task.file_bytes = std::move(element);
  }
  task.priority = plan_.parameters.priority;
  task.deadline = deadline_;
  return task;
}

// Of an input of a model that answers in one pass. take: what of the answer is wanted.
template <typename Answer, typename Take>
auto InferCall::Completion(size_t index, Take take) {
  return [this, submissions = submissions_, index, take](absl::StatusOr<Answer> answer) {
    if (answer.ok()) {
      int32_t tokens = 0;
      if constexpr (std::is_base_of_v<TextAnswer, Answer>) tokens = answer->tokens;
      model_.metrics->OnEncoded(answer->timing, tokens);
      model_.retry_hint->OnFinished(1);
      take(*answer, answers_[index]);
      submissions->Finish(absl::OkStatus());
    } else {
      submissions->Finish(Explain(index, answer.status()));
    }
  };
}

CancelHandle InferCall::Translate(size_t index, std::string text) {
  TranslationRequest task{std::move(text), plan_.parameters.translation, plan_.parameters.priority,
                          deadline_};
  return model_.engine.translator->Translate(
      std::move(task), {},
      [this, index](absl::StatusOr<TranslationResult> result) { OnTranslation(index, std::move(result)); });
}

CancelHandle InferCall::Embed(size_t index, std::string element) {
  if (model_.engine.image != nullptr) {
    const bool is_normalized = plan_.parameters.normalize.value_or(false);
    return model_.engine.image->Embed(
        MakeTask<ImageRequest>(std::move(element)),
        Completion<ImageEmbedding>(index, [is_normalized](ImageEmbedding& from, ElementAnswer& to) {
          if (is_normalized) NormalizeLength(absl::MakeSpan(from.values));
          to.embedding = std::move(from.values);
        }));
  }
  auto task = MakeTask<EmbedTextRequest>(std::move(element));
  task.prompt = plan_.parameters.prompt;
  task.normalize = plan_.parameters.normalize;
  task.dimensions = plan_.parameters.dimensions;
  return model_.engine.text->Embed(
      std::move(task), Completion<TextEmbedding>(index, [](TextEmbedding& from, ElementAnswer& to) {
        to.embedding = std::move(from.values);
      }));
}

CancelHandle InferCall::Classify(size_t index, std::string element) {
  const auto take = [](auto& from, ElementAnswer& to) {
    to.logits = std::move(from.logits);
    to.probabilities = std::move(from.probabilities);
  };
  if (model_.engine.image != nullptr) {
    return model_.engine.image->Classify(MakeTask<ClassifyImageRequest>(std::move(element)),
                                         Completion<ImageClasses>(index, take));
  }
  return model_.engine.text->Classify(MakeTask<TextRequest>(std::move(element)),
                                      Completion<TextClasses>(index, take));
}

void InferCall::OnTranslation(size_t index, absl::StatusOr<TranslationResult> result) {
  const std::shared_ptr<Submissions> submissions = submissions_;
  if (!result.ok()) return submissions->Finish(Explain(index, result.status()));
  model_.metrics->OnResult(*result);
  model_.retry_hint->OnFinished(static_cast<int32_t>(result->sentences.size()));
  const int64_t bytes = answer_bytes_.fetch_add(result->answer_bytes) + result->answer_bytes;
  if (bytes > services_.limits.max_answer_bytes()) return submissions->Finish(AnswerTooLarge());
  answers_[index].translation = *std::move(result);
  submissions->Finish(absl::OkStatus());
}

absl::Status InferCall::Explain(size_t index, const absl::Status& status) const {
  const absl::Status named(status.code(),
                           absl::StrCat(InputName(model_.engine), "[", index, "]: ", status.message()));
  if (absl::IsResourceExhausted(named)) return Rejected(QueueReasonOf(status), named);
  if (!absl::IsInvalidArgument(named)) return named;
  return Rejected(model_.engine.image != nullptr ? RejectReason::kImage : RejectReason::kText, named);
}

absl::Status InferCall::AnswerTooLarge() const {
  return Rejected(RejectReason::kTooLarge,
                  absl::InvalidArgumentError(
                      absl::StrCat("text: the answer is larger than ", services_.limits.max_answer_bytes(),
                                   " bytes; send fewer texts, or ask for less of each")));
}

void InferCall::OnAllDone(absl::Status status) {
  status = WithDeadlineExplained(std::move(status), deadline_, services_.clock.Now());
  AddRetryHint(status, model_, context_);
  try {
    if (status.ok()) status = FillResponse();
  } catch (const std::exception& error) {  // std::bad_alloc
    status = absl::InternalError(absl::StrCat("the answer cannot be written: ", error.what()));
  }
  FinishWith(status);
}

int32_t InferCall::NumHypotheses() const {
  if (plan_.parameters.translation.num_hypotheses.has_value()) {
    return *plan_.parameters.translation.num_hypotheses;
  }
  size_t count = 1;
  for (const ElementAnswer& answer : answers_) {
    for (const SentenceTranslation& sentence : answer.translation.sentences) {
      count = std::max(count, sentence.hypotheses.size());
    }
  }
  return static_cast<int32_t>(count);
}

absl::Status InferCall::FillResponse() {
  inference::ModelInferResponse response;
  response.set_model_name(model_.name);
  response.set_model_version(VersionOf(model_));
  response.set_id(plan_.id);
  const int32_t num_hypotheses = NumHypotheses();
  for (const RequestedOutput& output : plan_.outputs) {
    AddOutput(MakeOutput(output, answers_, LabelsOf(model_.engine), num_hypotheses), plan_.input.form,
              response);
  }
  // A sentence may come in several hypotheses of its text.
  if (plan_.WantsTranslation() &&
      static_cast<int64_t>(response.ByteSizeLong()) > services_.limits.max_answer_bytes()) {
    return AnswerTooLarge();
  }
  response_ = SerializeMessage(response);
  return absl::OkStatus();
}

void InferCall::FinishWith(const absl::Status& status) {
  stall_.BeginWrite();
  Finish(scope_.End(status));
}

void InferCall::OnCancel() {
  if (IsClientCancel(deadline_, services_.clock.Now())) submissions_->Cancel();
}

}  // namespace attendant::kserve
