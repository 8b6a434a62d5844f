#include "server/stream_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/converters.h"
#include "server/grpc_status.h"
#include "server/message.h"
#include "server/request_checks.h"

namespace attendant {

using v1::TranslateStreamResponse;

StreamCall::StreamCall(const ServiceContext& services, grpc::CallbackServerContext& context)
    : services_(services),
      context_(context),
      stall_(services.stall_watch, context),
      scope_(services, context, Method::kTranslateStream),
      deadline_(DeadlineOf(context, services.clock, services.limits)),
      batch_(std::make_shared<ContentBatch>(ContentBatch::Callbacks{
          [this](int32_t content) { return EventsOf(content); },
          [this](int32_t content, TranslationResult result) { OnContent(content, std::move(result)); },
          [this](absl::Status status) { OnAllDone(std::move(status)); }})) {}

void StreamCall::Start(const grpc::ByteBuffer& request) {
  if (!scope_.admitted().ok()) return FinishNow(scope_.admitted());
  absl::StatusOr<PreparedRequest> prepared = PrepareRequest(services_, request, deadline_);
  if (!prepared.ok()) return FinishNow(prepared.status());
  model_ = prepared->model;
  scope_.SetModel(model_);
  const auto count = static_cast<int>(prepared->contents.size());
  scope_.SetTexts(count);
  const absl::Status fits = Rejected(RejectReason::kInvalid, CheckInputCount(model_, "contents", count));
  if (!fits.ok()) return FinishNow(fits);
  if (const absl::Status admitted = CheckAdmission(model_, count, deadline_); !admitted.ok()) {
    return FinishNow(admitted);
  }
  TranslateStreamResponse started;
  started.mutable_started()->set_model(QualifiedName(model_));
  Push(std::move(started));
  // The batch may be done, and this deleted, before Start returns.
  const std::shared_ptr<ContentBatch> batch = batch_;
  batch->Start(*std::move(prepared));
}

void StreamCall::FinishNow(const absl::Status& status) {
  AddRetryHint(status, model_, context_);
  stall_.BeginWrite();
  Finish(scope_.End(status));
}

TranslationEvents StreamCall::EventsOf(int32_t content) {
  TranslationEvents events;
  events.on_sentence = [this, content](int32_t index, const SentenceTranslation& sentence) {
    TranslateStreamResponse event;
    event.mutable_sentence()->set_content_index(content);
    event.mutable_sentence()->set_sentence_index(index);
    *event.mutable_sentence()->mutable_sentence() = ToProto(sentence);
    Push(std::move(event));
  };
  events.on_growing_text = [this, content](int32_t index, const std::string& text) {
    TranslateStreamResponse event;
    event.mutable_growing_text()->set_content_index(content);
    event.mutable_growing_text()->set_sentence_index(index);
    event.mutable_growing_text()->set_text(text);
    Push(std::move(event));
  };
  return events;
}

void StreamCall::OnContent(int32_t content, TranslationResult result) {
  model_.metrics->OnResult(result);
  model_.retry_hint->OnFinished(static_cast<int32_t>(result.sentences.size()));
  {
    const std::lock_guard lock(mutex_);
    totals_.Add(result);
  }
  TranslateStreamResponse event;
  event.mutable_content()->set_content_index(content);
  *event.mutable_content()->mutable_translation() = ToProtoWithoutSentences(result);
  Push(std::move(event));
}

void StreamCall::Push(TranslateStreamResponse event) {
  bool is_too_slow = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_broken_) return;
    queue_.Push(std::move(event));
    is_too_slow = queue_.pending_bytes() > services_.limits.max_stream_pending_bytes();
    if (is_too_slow) {
      is_broken_ = true;
      broken_status_ = absl::ResourceExhaustedError("the stream's reader is too slow");
      queue_.Clear();
    } else {
      WriteNext();  // The end has not come: this is one of the callbacks before it.
    }
  }
  if (!is_too_slow) return;
  batch_->Cancel();
  context_.TryCancel();  // Or the write under way would wait for the reader.
}

std::optional<grpc::Status> StreamCall::WriteNext() {
  if (is_writing_) return std::nullopt;
  if (const std::optional<TranslateStreamResponse> event = queue_.Pop()) {
    writing_ = SerializeMessage(*event);
    is_writing_ = true;
    stall_.BeginWrite();
    StartWrite(&writing_);
    return std::nullopt;
  }
  if (!end_.has_value()) return std::nullopt;
  stall_.BeginWrite();
  return scope_.End(*end_);
}

void StreamCall::OnWriteDone(bool ok) {
  std::optional<grpc::Status> finish;
  {
    const std::lock_guard lock(mutex_);
    is_writing_ = false;
    stall_.EndWrite();
    if (!ok) {
      is_broken_ = true;
      queue_.Clear();
    }
    finish = WriteNext();
  }
  if (finish.has_value()) return Finish(*std::move(finish));
  // Ours still: OnDone waits for this call to return.
  if (!ok) batch_->Cancel();
}

void StreamCall::OnCancel() {
  if (IsClientCancel(deadline_, services_.clock.Now())) batch_->Cancel();
}

void StreamCall::OnAllDone(absl::Status status) {
  status = WithDeadlineExplained(std::move(status), deadline_, services_.clock.Now());
  AddRetryHint(status, model_, context_);
  std::optional<grpc::Status> finish;
  {
    const std::lock_guard lock(mutex_);
    end_ = broken_status_.ok() ? std::move(status) : broken_status_;
    if (!end_->ok()) {
      queue_.Clear();
    } else if (!is_broken_) {
      TranslateStreamResponse event;
      event.mutable_finished()->set_model(QualifiedName(model_));
      event.mutable_finished()->set_input_tokens(totals_.input_tokens());
      event.mutable_finished()->set_output_tokens(totals_.output_tokens());
      *event.mutable_finished()->mutable_timing() = totals_.Timing(scope_.elapsed());
      queue_.Push(std::move(event));
    }
    finish = WriteNext();
  }
  if (finish.has_value()) Finish(*std::move(finish));
}

}  // namespace attendant
