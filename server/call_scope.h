#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "server/auth/key_ring.h"
#include "server/model_metrics.h"
#include "server/service_context.h"

namespace attendant {

// One call, from its acceptance to the moment that gRPC has sent the answer: lets it in or not by who calls
// (server/method_access.h), before anything of it is read; counts it, logs it, and holds the drain for so
// long. Not thread-safe: the reactor that owns it sees to that.
class CallScope {
 public:
  CallScope(const ServiceContext& context, grpc::CallbackServerContext& call, Method method);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  // Whether the caller may make this call, as AdmitCall says it.
  const absl::Status& authorized() const { return authorized_; }
  // The same, and UNAVAILABLE if the server is draining; RESOURCE_EXHAUSTED while memory is short.
  const absl::Status& admitted() const { return admitted_; }
  // From now on it counts for this model.
  void SetModel(const ServedModel& model);
  void SetTexts(int texts) { texts_ = texts; }
  // How it ends; the last word holds. Counts a refusal by its reason. Returns what to tell the client.
  grpc::Status End(const absl::Status& status);
  Duration elapsed() const { return context_.clock.Now() - start_; }

 private:
  absl::Status WhyNotNow(Access access) const;

  const ServiceContext& context_;
  const Method method_;
  const TimePoint start_;
  Admission admission_;
  absl::Status authorized_;
  absl::Status admitted_;
  bool is_tracked_ = false;
  ModelMetrics* metrics_;
  std::string model_;
  int texts_ = 0;
  grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;  // If nothing says otherwise.
};

}  // namespace attendant
