#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <prometheus/exposer.h>

#include <memory>

#include "absl/status/statusor.h"
#include "server/call_tracker.h"
#include "server/classification_service.h"
#include "server/embedding_service.h"
#include "server/front_door/listener.h"
#include "server/health_service.h"
#include "server/logging.h"
#include "server/memory_guard.h"
#include "server/metrics.h"
#include "server/model_registry.h"
#include "server/model_service.h"
#include "server/process_metrics.h"
#include "server/server_config.pb.h"
#include "server/service_context.h"
#include "server/translation_service.h"

namespace attendant {

// The whole server behind its ports: listens and answers from Start on, while its models load. Everything
// accepted is answered before Drain returns true. Not for more than one drain. Thread-safe.
class Server {
 public:
  // config: as CompleteConfig gives it. log must outlive the server. Errors: UNAVAILABLE a port is taken;
  // FAILED_PRECONDITION the port file cannot be written.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const config::ServerConfig& config, const Logger& log);
  // Drains with what is left of the configured times if nobody did.
  ~Server();

  int grpc_port() const { return grpc_port_; }
  int metrics_port() const { return metrics_port_; }  // 0: none.

  // In this order: health says NOT_SERVING; calls are still accepted for drain_grace_ms; then new ones are
  // refused and the accepted ones are waited for; Watches end; the ports close. False if drain_timeout_ms
  // came before every accepted call was answered.
  bool Drain();

 private:
  Server(const config::ServerConfig& config, const Logger& log);
  absl::Status StartMetrics();
  absl::Status StartGrpc();
  absl::Status OpenFrontDoor();
  absl::Status WritePortFile() const;
  void LogStart() const;
  void UpdateHealth();

  const config::ServerConfig config_;
  const Logger& log_;
  Metrics metrics_;
  ConnectionMetrics connection_metrics_;
  const std::shared_ptr<ProcessMetrics> process_metrics_;
  CallTracker tracker_;
  HealthServiceImpl health_;
  ModelRegistry registry_;
  PeerCalls peer_calls_;
  StallWatch stall_watch_;
  const MemoryGuard memory_guard_;
  const ServiceContext context_;
  TranslationServiceImpl translation_service_;
  EmbeddingServiceImpl embedding_service_;
  ClassificationServiceImpl classification_service_;
  ModelServiceImpl model_service_;
  std::unique_ptr<prometheus::Exposer> exposer_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;  // Of grpc_.
  std::unique_ptr<Listener> listener_;                                        // Hands acceptor_ connections.
  int grpc_port_ = 0;
  int metrics_port_ = 0;
  bool is_drained_ = false;
};

// Lets the process open as many descriptors as the system allows it: that many connections fit.
void RaiseDescriptorLimit();

}  // namespace attendant
