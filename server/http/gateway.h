#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "attendant/v1/embedding_service.grpc.pb.h"
#include "attendant/v1/model_service.grpc.pb.h"
#include "attendant/v1/translation_service.grpc.pb.h"
#include "engine/base/thread_pool.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/http/call_gate.h"
#include "server/http/http_server.h"

namespace attendant {

// The shapes of OpenAI's embeddings and of LibreTranslate over HTTP. Each request becomes a call of the
// server's own gRPC services, within the process: limits, keys, batching and metrics are theirs. The caller's
// key goes along as `authorization`; X-Request-Timeout-Ms is the call's deadline; a client that goes cancels
// it. At most 256 requests wait to be read; one more is 503. Thread-safe.
//   POST /v1/embeddings, GET /v1/models, GET /v1/models/NAME
//   POST /translate, POST /detect, GET /languages
//   GET /livez (answers, also while all else waits), GET /readyz and /health (health says SERVING)
class HttpGateway {
 public:
  // channel: to the server, which outlives the calls. Errors: as HttpServer::Start.
  static absl::StatusOr<std::unique_ptr<HttpGateway>> Start(const HttpServer::Options& options,
                                                            std::shared_ptr<grpc::Channel> channel);
  // Waits for the open calls: end them before.
  ~HttpGateway();

  int port() const { return server_->port(); }
  // No more connections; open ones get one more answer, which by then is the services' refusal.
  void StopAccepting() { server_->StopAccepting(); }
  // From now on requests are refused here. Before the server that channel leads to is shut down.
  void CloseCalls() { gate_.Close(); }
  // Until all that was accepted is answered and taken; false if `timeout` came first.
  bool WaitIdle(Duration timeout) { return server_->WaitIdle(timeout); }
  // From now on a client has at most so long to take its answer. For a drain, which nobody shall hold.
  void Shorten(Duration send_timeout) { server_->Shorten(send_timeout); }

 private:
  using Exchange = std::shared_ptr<HttpExchange>;
  explicit HttpGateway(std::shared_ptr<grpc::Channel> channel);

  // On the listener's thread.
  void Receive(Exchange exchange);
  void Handle(const Exchange& exchange);
  // Of one path each.
  void Embed(const Exchange& exchange);
  void ListModels(const Exchange& exchange);
  void GetModel(const Exchange& exchange);
  void Translate(const Exchange& exchange);
  void Detect(const Exchange& exchange);
  void ListLanguages(const Exchange& exchange);
  void AnswerAlive(const Exchange& exchange);
  void CheckReady(const Exchange& exchange);

  struct Translation;
  void SendTranslation(const std::shared_ptr<Translation>& translation);

  CallGate gate_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::EmbeddingService::Stub> embedding_;
  const std::unique_ptr<v1::TranslationService::Stub> translation_;
  const std::unique_ptr<v1::ClassificationService::Stub> classification_;
  const std::unique_ptr<v1::ModelService::Stub> models_;
  const std::unique_ptr<grpc::health::v1::Health::Stub> health_;
  const int64_t started_;                // Seconds since 1970.
  std::atomic<int> num_waiting_ = 0;     // For threads_.
  std::unique_ptr<ThreadPool> threads_;  // Read requests.
  std::unique_ptr<HttpServer> server_;
};

}  // namespace attendant
