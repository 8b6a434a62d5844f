#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "engine/base/core_shares.h"
#include "server/admin_service.h"
#include "server/auth/identity.h"
#include "server/call_tracker.h"
#include "server/classification_service.h"
#include "server/embedding_service.h"
#include "server/front_door/listener.h"
#include "server/health_service.h"
#include "server/http/gateway.h"
#include "server/kserve/inference_service.h"
#include "server/logging.h"
#include "server/memory_guard.h"
#include "server/metrics.h"
#include "server/metrics_listener.h"
#include "server/model_registry.h"
#include "server/model_service.h"
#include "server/process_metrics.h"
#include "server/reflection_service.h"
#include "server/repository/model_manager.h"
#include "server/server_config.pb.h"
#include "server/service_context.h"
#include "server/translation_service.h"

namespace attendant {

// The whole server behind its ports: listens and answers from Start on, while its models load. Everything
// accepted is answered before Drain returns true. Not for more than one drain. Thread-safe.
class Server {
 public:
  // config: as CompleteConfig gives it. log must outlive the server. Errors: UNAVAILABLE a port is taken;
  // FAILED_PRECONDITION the port file cannot be written; INVALID_ARGUMENT certificate, key or key file;
  // CANCELLED a shutdown signal came while it waited for its models (listen_when_ready).
  static absl::StatusOr<std::unique_ptr<Server>> Start(const config::ServerConfig& config, const Logger& log);
  // Drains with what is left of the configured times if nobody did.
  ~Server();

  int grpc_port() const { return grpc_port_; }
  int metrics_port() const {
    return metrics_listener_ == nullptr ? 0 : metrics_listener_->port();
  }                                               // 0: none.
  int admin_port() const { return admin_port_; }  // As metrics_port().
  int http_port() const { return http_ == nullptr ? 0 : http_->port(); }

  // In this order: health says NOT_SERVING; calls are still accepted for drain_grace_ms; then the port
  // closes and Watches end; if max_connection_age_ms is set, calls are accepted until all connections have
  // reached that age and gone; who is left gets a GOAWAY, and the accepted calls are waited for. False if
  // drain_timeout_ms came before every accepted call was answered.
  bool Drain();

 private:
  Server(const config::ServerConfig& config, const Logger& log);
  absl::Status StartMetrics();
  absl::Status WaitUntilLoaded() const;
  absl::Status StartGrpc();
  absl::Status StartHttp();
  absl::Status OpenFrontDoor();
  absl::Status StartAdmin();
  std::vector<std::string> RegisterServices(grpc::ServerBuilder& builder);
  // The place for services that only operators call, with methods of Access::kAdmin.
  std::vector<std::string> RegisterAdminServices(grpc::ServerBuilder& builder);
  absl::Status WritePortFile() const;
  void LogStart() const;
  void WarnOfOpenDoors() const;
  void UpdateHealth();
  void SetHealth(const std::string& service, bool is_serving);
  void WaitForConnectionsToAge(TimePoint end) const;
  bool FinishCalls(TimePoint end);

  std::set<std::string> known_models_;  // That health tells of. Of whoever calls UpdateHealth.
  const config::ServerConfig config_;
  const Logger& log_;
  Metrics metrics_;
  ConnectionMetrics connection_metrics_;
  const std::shared_ptr<ProcessMetrics> process_metrics_;
  Identity identity_;
  CallTracker tracker_;
  HealthServiceImpl health_;
  HealthServiceImpl admin_health_;  // gRPC takes a service for one listener only.
  CoreShares cores_;
  ModelRegistry registry_;
  ModelManager models_;
  PeerCalls peer_calls_;
  StallWatch stall_watch_;
  const MemoryGuard memory_guard_;
  const ServiceContext context_;
  TranslationServiceImpl translation_service_;
  EmbeddingServiceImpl embedding_service_;
  ClassificationServiceImpl classification_service_;
  ModelServiceImpl model_service_;
  AdminServiceImpl admin_service_;
  ModelServiceImpl admin_model_service_;
  kserve::InferenceServiceImpl inference_service_;
  kserve::InferenceServiceImpl admin_inference_service_;
  ReflectionServices reflection_;
  ReflectionServices admin_reflection_;
  std::unique_ptr<MetricsListener> metrics_listener_;  // Null: none.
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;  // Of grpc_.
  std::unique_ptr<Listener> listener_;                                        // Hands acceptor_ connections.
  std::unique_ptr<grpc::Server> admin_;
  std::unique_ptr<HttpGateway> http_;  // Null: none.
  int grpc_port_ = 0;
  int admin_port_ = 0;
  bool is_drained_ = false;
};

// Lets the process open as many descriptors as the system allows it: that many connections fit.
void RaiseDescriptorLimit();

}  // namespace attendant
