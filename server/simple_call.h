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
  SimpleCall(const ServiceContext& services, Method method) : scope_(services, method) {}
  CallScope& scope() { return scope_; }

 private:
  void OnDone() override { delete this; }

  CallScope scope_;
};

struct SimpleCallArgs {
  const ServiceContext& services;
  Method method;
  const grpc::ByteBuffer& request;
  grpc::ByteBuffer& response;
};

// Parses, answers (const Request& -> absl::StatusOr<Response>), serialises, counts. Answered also while the
// server drains: it costs nothing.
template <typename Request, typename Response, typename Answer>
grpc::ServerUnaryReactor* AnswerAtOnce(const SimpleCallArgs& args, Answer answer) {
  auto* call = new SimpleCall(args.services, args.method);
  Request request;
  absl::Status status = ParseMessage(args.request, MessageLimits{}, request);
  if (status.ok()) {
    absl::StatusOr<Response> response = answer(request);
    status = response.status();
    if (status.ok()) args.response = SerializeMessage(*response);
  }
  call->Finish(call->scope().End(status));
  return call;
}

}  // namespace attendant
