#include "server/call_scope.h"

#include <string>

#include "server/auth/grpc_caller.h"
#include "server/grpc_status.h"
#include "server/method_access.h"

namespace attendant {

CallScope::CallScope(const ServiceContext& context, grpc::CallbackServerContext& call, Method method)
    : context_(context),
      method_(method),
      start_(context.clock.Now()),
      is_tracked_(context.tracker.Enter()),
      metrics_(&context.metrics.unknown_model()) {
  metrics_->OnCallBegin();
  const Access access = AccessOf(method);
  admitted_ = WhyNotNow(access);
  if (access == Access::kInfer && !admitted_.ok()) {  // Before it costs the caller anything of its quota.
    authorized_ = admitted_;
    return;
  }
  absl::StatusOr<Admission> admission = AdmitCall(context.keys, access, call);
  if (!admission.ok()) {
    const bool is_quota = absl::IsResourceExhausted(admission.status());
    authorized_ = is_quota ? Rejected(RejectReason::kQuota, admission.status()) : admission.status();
    admitted_ = authorized_;
    return;
  }
  admission_ = *std::move(admission);
}

// OK, or what is wrong with the moment and not with the call. Operators are let in also when memory is short:
// to unload a model, for one.
absl::Status CallScope::WhyNotNow(Access access) const {
  if (!is_tracked_) {
    return Rejected(RejectReason::kDraining,
                    absl::UnavailableError("the server is shutting down; try again, elsewhere or later"));
  }
  if (access == Access::kAdmin || !context_.memory.IsHigh()) return absl::OkStatus();
  return Rejected(
      RejectReason::kMemory,
      absl::ResourceExhaustedError("the server has little memory left; try again, elsewhere or later"));
}

CallScope::~CallScope() {
  const Duration took = elapsed();
  metrics_->OnCallEnd(method_, code_, took);
  const bool is_ours = code_ == grpc::StatusCode::INTERNAL || code_ == grpc::StatusCode::UNKNOWN;
  const auto level = is_ours ? config::Logging::ERROR : config::Logging::DEBUG;
  if (context_.log.IsOn(level)) {
    context_.log.Log(level, "call",
                     {{"method", std::string(MethodName(method_))},
                      {"model", model_},
                      {"key", admission_.id()},
                      {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code_))},
                      {"texts", texts_},
                      {"seconds", std::chrono::duration<double>(took).count()}});
  }
  if (is_tracked_) context_.tracker.Leave();
}

void CallScope::SetModel(const ServedModel& model) {
  metrics_->OnCallMoved(*model.metrics);
  metrics_ = model.metrics;
  model_ = model.name;
}

grpc::Status CallScope::End(const absl::Status& status) {
  code_ = static_cast<grpc::StatusCode>(status.code());
  if (const auto reason = ReasonOf(status)) metrics_->OnRejected(*reason);
  return ToGrpcStatus(status);
}

}  // namespace attendant
