#include "server/health_service.h"

#include <optional>

#include "server/grpc_status.h"
#include "server/message.h"

namespace attendant {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::health::v1::HealthListRequest;
using grpc::health::v1::HealthListResponse;

namespace {

// A probe needs no more; it is let in without a key, and a Watch stays as long as it likes.
MessageLimits HealthLimits() {
  MessageLimits limits;
  limits.max_bytes = 1024;
  return limits;
}
constexpr size_t kMaxWatches = 4096;
constexpr int kMaxWatchesOfPeer = 256;

class UnaryCall final : public grpc::ServerUnaryReactor {
  void OnDone() override { delete this; }
};

grpc::ServerUnaryReactor* FinishedCall(const absl::Status& status) {
  auto* call = new UnaryCall;
  call->Finish(ToGrpcStatus(status));
  return call;
}

}  // namespace

// One Watch. It sends the latest state that the client does not have, one write at a time. All under the
// service's mutex_; gRPC calls back on threads of its own, never from within StartWrite or Finish.
class HealthServiceImpl::Watcher final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  Watcher(HealthServiceImpl& service, std::string name, std::string peer)
      : service_(service), name_(std::move(name)), peer_(std::move(peer)) {}

  // With mutex_ held.
  void Update() {
    if (is_writing_ || is_finished_) return;
    const Status status = service_.StatusOf(name_);
    if (sent_ != status) {
      HealthCheckResponse response;
      response.set_status(status);
      buffer_ = SerializeMessage(response);
      sent_ = status;
      is_writing_ = true;
      StartWrite(&buffer_);
    } else if (service_.are_watches_over_) {
      End(absl::UnavailableError("the server is shutting down"));
    }
  }

  void End(const absl::Status& status) {
    if (is_finished_) return;
    is_finished_ = true;
    Finish(ToGrpcStatus(status));
  }

 private:
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(service_.mutex_);
    is_writing_ = false;
    if (!ok) return End(absl::CancelledError("the client is gone"));
    Update();
  }
  void OnCancel() override {
    const std::lock_guard lock(service_.mutex_);
    if (!is_writing_) End(absl::CancelledError("the client is gone"));
  }
  void OnDone() override {
    {
      const std::lock_guard lock(service_.mutex_);
      if (service_.watchers_.erase(this) > 0 && --service_.watchers_of_peer_[peer_] == 0) {
        service_.watchers_of_peer_.erase(peer_);
      }
    }
    delete this;
  }

  HealthServiceImpl& service_;
  const std::string name_;
  const std::string peer_;
  grpc::ByteBuffer buffer_;
  std::optional<Status> sent_;
  bool is_writing_ = false;
  bool is_finished_ = false;
};

HealthServiceImpl::Status HealthServiceImpl::StatusOf(const std::string& service) const {
  const auto it = services_.find(service);
  if (it == services_.end()) return HealthCheckResponse::SERVICE_UNKNOWN;
  return it->second && !is_draining_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void HealthServiceImpl::TellWatchers() {
  for (Watcher* watcher : watchers_) watcher->Update();
}

void HealthServiceImpl::Set(const std::string& service, bool is_serving) {
  const std::lock_guard lock(mutex_);
  services_[service] = is_serving;
  TellWatchers();
}

bool HealthServiceImpl::IsServing(const std::string& service) {
  const std::lock_guard lock(mutex_);
  return StatusOf(service) == HealthCheckResponse::SERVING;
}

void HealthServiceImpl::Remove(const std::string& service) {
  const std::lock_guard lock(mutex_);
  services_.erase(service);
  TellWatchers();
}

absl::Status HealthServiceImpl::Enter(Watcher& watcher, const std::string& peer) {
  int& of_peer = watchers_of_peer_[peer];
  if (watchers_.size() >= kMaxWatches || of_peer >= kMaxWatchesOfPeer) {
    if (of_peer == 0) watchers_of_peer_.erase(peer);
    return absl::ResourceExhaustedError("too many Watches; Check asks once");
  }
  ++of_peer;
  watchers_.insert(&watcher);
  return absl::OkStatus();
}

void HealthServiceImpl::BeginDrain() {
  const std::lock_guard lock(mutex_);
  is_draining_ = true;
  TellWatchers();
}

void HealthServiceImpl::EndWatches() {
  const std::lock_guard lock(mutex_);
  are_watches_over_ = true;
  TellWatchers();
}

grpc::ServerUnaryReactor* HealthServiceImpl::Check(grpc::CallbackServerContext* /*context*/,
                                                   const grpc::ByteBuffer* request,
                                                   grpc::ByteBuffer* response) {
  HealthCheckRequest check;
  if (const absl::Status status = ParseMessage(*request, HealthLimits(), check); !status.ok()) {
    return FinishedCall(status);
  }
  HealthCheckResponse answer;
  {
    const std::lock_guard lock(mutex_);
    answer.set_status(StatusOf(check.service()));
  }
  if (answer.status() == HealthCheckResponse::SERVICE_UNKNOWN) {
    return FinishedCall(absl::NotFoundError("there is no such service; Health.List names those there are"));
  }
  *response = SerializeMessage(answer);
  return FinishedCall(absl::OkStatus());
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* HealthServiceImpl::Watch(grpc::CallbackServerContext* context,
                                                                     const grpc::ByteBuffer* request) {
  HealthCheckRequest watch;
  absl::Status status = ParseMessage(*request, HealthLimits(), watch);
  const std::string peer = context->peer();
  const std::lock_guard lock(mutex_);
  auto* watcher = new Watcher(*this, watch.service(), peer);
  if (status.ok()) status = Enter(*watcher, peer);
  if (status.ok()) {
    watcher->Update();
  } else {
    watcher->End(status);
  }
  return watcher;
}

grpc::ServerUnaryReactor* HealthServiceImpl::List(grpc::CallbackServerContext* /*context*/,
                                                  const grpc::ByteBuffer* /*request*/,
                                                  grpc::ByteBuffer* response) {
  HealthListResponse answer;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [service, is_serving] : services_) {
      (*answer.mutable_statuses())[service].set_status(StatusOf(service));
    }
  }
  *response = SerializeMessage(answer);
  return FinishedCall(absl::OkStatus());
}

}  // namespace attendant
