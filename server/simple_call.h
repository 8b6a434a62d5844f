#pragma once

#include <grpcpp/grpcpp.h>

#include "absl/status/statusor.h"
#include "server/call_scope.h"
#include "server/grpc_status.h"
#include "server/message.h"

namespace attendant {

// A call whose answer is there at once, without computing.
class SimpleCall final : public grpc::ServerUnaryReactor {
 public:
  SimpleCall(const ServiceContext& services, grpc::CallbackServerContext& context, Method method)
      : stall_(services.stall_watch, context), scope_(services, context, method) {}
  const absl::Status& authorized() const { return scope_.authorized(); }
  // UNAVAILABLE if the server is draining; or as authorized().
  const absl::Status& admitted() const { return scope_.admitted(); }
  void FinishWith(const absl::Status& status) {
    stall_.BeginWrite();
    Finish(scope_.End(status));
  }

 private:
  void OnDone() override { delete this; }

  StallWatch::Call stall_;
  CallScope scope_;
};

struct SimpleCallArgs {
  const ServiceContext& services;
  grpc::CallbackServerContext& context;
  Method method;
  const grpc::ByteBuffer& request;
  grpc::ByteBuffer& response;
};

// Parses, answers (const Request& -> absl::StatusOr<Response>), serialises, counts. Answered also while the
// server drains: it costs nothing.
template <typename Request, typename Response, typename Answer>
grpc::ServerUnaryReactor* AnswerAtOnce(const SimpleCallArgs& args, Answer answer) {
  auto* call = new SimpleCall(args.services, args.context, args.method);
  Request request;
  absl::Status status = call->authorized();
  if (status.ok()) status = ParseMessage(args.request, MessageLimits{}, request);
  if (status.ok()) {
    absl::StatusOr<Response> response = answer(request);
    status = response.status();
    if (status.ok()) args.response = SerializeMessage(*response);
  }
  call->FinishWith(status);
  return call;
}

// As AnswerAtOnce, for what takes its time: parses, then start(const Request&, finish) sees to it that
// finish(status, response) is called once, on any thread. The call counts as in flight until then, whether
// its client still waits or not.
template <typename Request, typename Start>
grpc::ServerUnaryReactor* AnswerLater(const SimpleCallArgs& args, Start start) {
  auto* call = new SimpleCall(args.services, args.context, args.method);
  Request request;
  const absl::Status status =
      call->admitted().ok() ? ParseMessage(args.request, MessageLimits{}, request) : call->admitted();
  if (!status.ok()) {
    call->FinishWith(status);
    return call;
  }
  start(request, [call, &bytes = args.response](const absl::Status& end,
                                                const google::protobuf::MessageLite& response) {
    if (end.ok()) bytes = SerializeMessage(response);
    call->FinishWith(end);
  });
  return call;
}

}  // namespace attendant
