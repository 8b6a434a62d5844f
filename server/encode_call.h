#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/call_scope.h"
#include "server/encode_converters.h"
#include "server/grpc_status.h"
#include "server/message.h"
#include "server/request_checks.h"
#include "server/service_context.h"
#include "server/translate_call.h"

namespace attendant {

// One call whose inputs a model answers in one pass each: parses, hands all inputs to the model, answers when
// the last is done, deletes itself when gRPC is done with it. The first input that fails decides, and lets
// the others go. Work says what a method does:
//   Request, Response, Answer     types
//   kMethod, kTask, kInputField, kInputReason   constants
//   Limits(config)                of the message
//   Check(request)                status of the fields that need no model
//   Count(request)                inputs
//   Submit(engine, request, index, deadline, done)   returns a CancelHandle
//   Tokens(answer)                encoded
//   Write(engine, request, index, answer, response)  in order of the inputs
template <typename Work>
class EncodeCall final : public grpc::ServerUnaryReactor {
 public:
  using Request = typename Work::Request;
  using Response = typename Work::Response;
  using Answer = typename Work::Answer;

  // response: gRPC's, filled before Finish.
  EncodeCall(const ServiceContext& services, grpc::CallbackServerContext& context, grpc::ByteBuffer& response)
      : services_(services),
        context_(context),
        response_(response),
        stall_(services.stall_watch, context),
        scope_(services, context, Work::kMethod),
        deadline_(DeadlineOf(context, services.clock, services.limits)) {}

  void Start(const grpc::ByteBuffer& bytes) {
    absl::Status status = Prepare(bytes);
    if (!status.ok()) {
      AddRetryHint(status, model_, context_);
      return FinishWith(status);
    }
    const int count = Work::Count(request_);
    answers_.resize(static_cast<size_t>(count));
    pending_ = count + 1;  // And this loop itself.
    for (int i = 0; i < count && !IsCancelled(); ++i) SubmitOne(i);
    FinishSome(1 + count - submitted_);
  }

 private:
  absl::Status Prepare(const grpc::ByteBuffer& bytes) {
    if (!scope_.admitted().ok()) return scope_.admitted();
    absl::Status status = ParseMessage(bytes, Work::Limits(services_.limits), request_);
    if (!status.ok()) return status;
    status = Work::Count(request_) == 0 ? absl::InvalidArgumentError("give at least one input")
                                        : Work::Check(request_);
    if (!status.ok()) return Rejected(RejectReason::kInvalid, status);
    absl::StatusOr<ServedModel> model = services_.registry.Resolve(request_.model(), Work::kTask);
    if (!model.ok()) return model.status();
    model_ = *std::move(model);
    scope_.SetModel(model_);
    scope_.SetTexts(Work::Count(request_));
    status =
        Rejected(RejectReason::kInvalid, CheckInputCount(model_, Work::kInputField, Work::Count(request_)));
    return status.ok() ? CheckAdmission(model_, Work::Count(request_), deadline_) : status;
  }

  bool IsCancelled() {
    const std::lock_guard lock(mutex_);
    return is_cancelled_;
  }

  void SubmitOne(int index) {
    ++submitted_;
    CancelHandle handle =
        Work::Submit(model_.engine, request_, index, deadline_,
                     [this, index](absl::StatusOr<Answer> answer) { OnAnswer(index, std::move(answer)); });
    bool is_too_late = false;
    {
      const std::lock_guard lock(mutex_);
      is_too_late = is_cancelled_;
      handles_.push_back(handle);
    }
    if (is_too_late) handle.Cancel();
  }

  void OnAnswer(int index, absl::StatusOr<Answer> answer) {
    if (answer.ok()) {
      model_.metrics->OnEncoded(answer->timing, Work::Tokens(*answer));
      model_.retry_hint->OnFinished(1);
      answers_[static_cast<size_t>(index)] = *std::move(answer);
    } else {
      NoteError(index, answer.status());
    }
    FinishSome(1);
  }

  void NoteError(int index, const absl::Status& error) {
    {
      const std::lock_guard lock(mutex_);
      if (!status_.ok()) return;
      status_ =
          absl::Status(error.code(), absl::StrCat(Work::kInputField, "[", index, "]: ", error.message()));
      if (absl::IsInvalidArgument(status_)) status_ = Rejected(Work::kInputReason, status_);
      if (absl::IsResourceExhausted(status_)) status_ = Rejected(QueueReasonOf(error), status_);
    }
    Cancel();
  }

  void Cancel() {
    std::vector<CancelHandle> handles;
    {
      const std::lock_guard lock(mutex_);
      is_cancelled_ = true;
      if (status_.ok()) status_ = absl::CancelledError("the client cancelled the call");
      handles = handles_;
    }
    for (const CancelHandle& handle : handles) handle.Cancel();
  }

  // So many of what is pending are done; the last of them answers the call.
  void FinishSome(int count) {
    absl::Status status;
    {
      const std::lock_guard lock(mutex_);
      pending_ -= count;
      if (pending_ > 0) return;
      status = status_;
    }
    status = WithDeadlineExplained(std::move(status), deadline_, services_.clock.Now());
    AddRetryHint(status, model_, context_);
    try {
      if (status.ok()) FillResponse();
    } catch (const std::exception& error) {  // std::bad_alloc
      status = absl::InternalError(absl::StrCat("the answer cannot be written: ", error.what()));
    }
    FinishWith(status);
  }

  void FillResponse() {
    Response response;
    EncodeTiming longest;
    for (size_t i = 0; i < answers_.size(); ++i) {
      const EncodeTiming& timing = answers_[i].timing;
      longest.prepare = std::max(longest.prepare, timing.prepare);
      longest.queue = std::max(longest.queue, timing.queue);
      longest.encode = std::max(longest.encode, timing.encode);
      Work::Write(model_.engine, request_, static_cast<int>(i), std::move(answers_[i]), response);
    }
    longest.total = scope_.elapsed();
    *response.mutable_timing() = ToProto(longest);
    response.set_model(QualifiedName(model_));
    response_ = SerializeMessage(response);
  }

  void FinishWith(const absl::Status& status) {
    stall_.BeginWrite();
    Finish(scope_.End(status));
  }

  void OnCancel() override {
    if (IsClientCancel(deadline_, services_.clock.Now())) Cancel();
  }
  void OnDone() override { delete this; }

  const ServiceContext& services_;
  grpc::CallbackServerContext& context_;
  grpc::ByteBuffer& response_;
  StallWatch::Call stall_;
  CallScope scope_;
  const TimePoint deadline_;
  Request request_;
  ServedModel model_;
  std::vector<Answer> answers_;  // Each written by its own input's completion, read when all are done.
  int submitted_ = 0;            // Of the thread that starts.

  std::mutex mutex_;
  std::vector<CancelHandle> handles_;  // Guarded by mutex_, as are ...
  bool is_cancelled_ = false;
  int pending_ = 0;
  absl::Status status_;  // The first error.
};

template <typename Work>
grpc::ServerUnaryReactor* StartEncodeCall(const ServiceContext& services,
                                          grpc::CallbackServerContext& context,
                                          const grpc::ByteBuffer& request, grpc::ByteBuffer& response) {
  auto* call = new EncodeCall<Work>(services, context, response);
  call->Start(request);
  return call;
}

}  // namespace attendant
