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

}  // namespace attendant
