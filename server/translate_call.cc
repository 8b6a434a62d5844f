#include "server/translate_call.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/converters.h"
#include "server/grpc_status.h"
#include "server/message.h"

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
  if (!absl::IsResourceExhausted(status) || model.translator == nullptr) return;
  const Duration after = model.retry_hint->After(model.translator->scheduler().queue_depth());
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
      scope_(services, Method::kTranslate),
      deadline_(DeadlineOf(context, services.clock)),
      batch_(std::make_shared<ContentBatch>(ContentBatch::Callbacks{
          {},
          [this](int32_t content, TranslationResult result) { OnContent(content, std::move(result)); },
          [this](absl::Status status) { OnAllDone(std::move(status)); }})) {}

void TranslateCall::Start(const grpc::ByteBuffer& request) {
  if (!scope_.admitted().ok()) return Finish(scope_.End(scope_.admitted()));
  absl::StatusOr<PreparedRequest> prepared = PrepareRequest(services_, request, deadline_);
  if (!prepared.ok()) return Finish(scope_.End(prepared.status()));
  model_ = prepared->model;
  scope_.SetModel(model_);
  scope_.SetTexts(static_cast<int>(prepared->contents.size()));
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
  results_[content] = std::move(result);
}

void TranslateCall::OnAllDone(absl::Status status) {
  status = WithDeadlineExplained(std::move(status), deadline_, services_.clock.Now());
  AddRetryHint(status, model_, context_);
  if (status.ok()) {
    v1::TranslateResponse response;
    CallTotals totals;
    for (const TranslationResult& result : results_) {
      totals.Add(result);
      *response.add_translations() = ToProto(result);
    }
    response.set_model(model_.name);
    response.set_input_tokens(totals.input_tokens());
    response.set_output_tokens(totals.output_tokens());
    *response.mutable_timing() = totals.Timing(scope_.elapsed());
    // Protobuf serialises no more, and would say so with an empty message.
    constexpr size_t kMaxBytes = std::numeric_limits<int32_t>::max();
    if (response.ByteSizeLong() <= kMaxBytes) {
      response_ = SerializeMessage(response);
    } else {
      status = absl::ResourceExhaustedError("the answer is larger than 2 GiB; send fewer texts");
    }
  }
  Finish(scope_.End(status));
}

}  // namespace attendant
