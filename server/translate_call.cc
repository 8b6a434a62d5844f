#include "server/translate_call.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/converters.h"
#include "server/grpc_status.h"
#include "server/message.h"
#include "server/request_checks.h"

namespace attendant {

// gRPC's timer and ours need not agree to the millisecond.
constexpr Duration kDeadlineSlack = std::chrono::milliseconds(20);

bool IsClientCancel(TimePoint deadline, TimePoint now) {
  return deadline == kInfiniteFuture || now < deadline - kDeadlineSlack;
}

absl::Status WithDeadlineExplained(absl::Status status, TimePoint deadline, TimePoint now) {
  if (!absl::IsCancelled(status) || IsClientCancel(deadline, now)) return status;
  return absl::DeadlineExceededError("the deadline passed before the translation was finished");
}

void AddRetryHint(const absl::Status& status, const ServedModel& model,
                  grpc::CallbackServerContext& context) {
  const std::optional<RejectReason> reason = ReasonOf(status);
  if (!reason.has_value() || !IsShed(*reason)) return;
  constexpr Duration kWithoutModel = std::chrono::seconds(1);
  const Duration after = model.retry_hint == nullptr
                             ? kWithoutModel
                             : model.retry_hint->After(model.engine.scheduler().queue_depth());
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(after).count();
  context.AddTrailingMetadata("retry-after-ms", absl::StrCat(milliseconds));
}

void CallTotals::Add(const TranslationResult& result) {
  input_tokens_ += result.input_tokens;
  output_tokens_ += result.output_tokens;
  longest_.tokenize = std::max(longest_.tokenize, result.timing.tokenize);
  longest_.queue = std::max(longest_.queue, result.timing.queue);
  longest_.encode = std::max(longest_.encode, result.timing.encode);
  longest_.first_token = std::max(longest_.first_token, result.timing.first_token);
}

v1::PhaseTiming CallTotals::Timing(Duration total) const {
  PhaseTiming timing = longest_;
  timing.total = total;
  return ToProto(timing);
}

TranslateCall::TranslateCall(const ServiceContext& services, grpc::CallbackServerContext& context,
                             grpc::ByteBuffer& response)
    : services_(services),
      context_(context),
      response_(response),
      stall_(services.stall_watch, context),
      scope_(services, context, Method::kTranslate),
      deadline_(DeadlineOf(context, services.clock, services.limits)),
      batch_(std::make_shared<ContentBatch>(ContentBatch::Callbacks{
          {},
          [this](int32_t content, TranslationResult result) { OnContent(content, std::move(result)); },
          [this](absl::Status status) { OnAllDone(std::move(status)); }})) {}

void TranslateCall::Start(const grpc::ByteBuffer& request) {
  if (!scope_.admitted().ok()) return Refuse(scope_.admitted());
  absl::StatusOr<PreparedRequest> prepared = PrepareRequest(services_, request, deadline_);
  if (!prepared.ok()) return FinishWith(prepared.status());
  model_ = prepared->model;
  scope_.SetModel(model_);
  const auto count = static_cast<int>(prepared->contents.size());
  scope_.SetTexts(count);
  const absl::Status fits = Rejected(RejectReason::kInvalid, CheckInputCount(model_, "contents", count));
  if (!fits.ok()) return FinishWith(fits);
  if (const absl::Status admitted = CheckAdmission(model_, count, deadline_); !admitted.ok()) {
    return Refuse(admitted);
  }
  results_.resize(prepared->contents.size());
  // The batch may be done, and this deleted, before Start returns.
  const std::shared_ptr<ContentBatch> batch = batch_;
  batch->Start(*std::move(prepared));
}

void TranslateCall::OnCancel() {
  if (IsClientCancel(deadline_, services_.clock.Now())) batch_->Cancel();
}

void TranslateCall::OnContent(int32_t content, TranslationResult result) {
  model_.metrics->OnResult(result);
  model_.retry_hint->OnFinished(static_cast<int32_t>(result.sentences.size()));
  const int64_t bytes = answer_bytes_.fetch_add(result.answer_bytes) + result.answer_bytes;
  if (bytes > services_.limits.max_answer_bytes()) return batch_->Cancel();
  results_[content] = std::move(result);
}

void TranslateCall::OnAllDone(absl::Status status) {
  if (answer_bytes_ > services_.limits.max_answer_bytes()) {
    status = Rejected(RejectReason::kTooLarge,
                      absl::InvalidArgumentError(absl::StrCat(
                          "contents: their answer is larger than ", services_.limits.max_answer_bytes(),
                          " bytes; send fewer texts, or ask for less of each")));
  }
  status = WithDeadlineExplained(std::move(status), deadline_, services_.clock.Now());
  AddRetryHint(status, model_, context_);
  try {
    if (status.ok()) status = FillResponse();
  } catch (const std::exception& error) {  // std::bad_alloc
    status = absl::InternalError(absl::StrCat("the answer cannot be written: ", error.what()));
  }
  FinishWith(status);
}

absl::Status TranslateCall::FillResponse() {
  v1::TranslateResponse response;
  CallTotals totals;
  for (TranslationResult& result : results_) {
    totals.Add(result);
    *response.add_translations() = ToProto(result);
    result = {};
  }
  response.set_model(QualifiedName(model_));
  response.set_input_tokens(totals.input_tokens());
  response.set_output_tokens(totals.output_tokens());
  *response.mutable_timing() = totals.Timing(scope_.elapsed());
  response_ = SerializeMessage(response);
  return absl::OkStatus();
}

void TranslateCall::Refuse(const absl::Status& status) {
  AddRetryHint(status, model_, context_);
  FinishWith(status);
}

void TranslateCall::FinishWith(const absl::Status& status) {
  stall_.BeginWrite();
  Finish(scope_.End(status));
}

}  // namespace attendant
