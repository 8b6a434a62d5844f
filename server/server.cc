#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/cpu_budget.h"
#include "engine/base/status_macros.h"
#include "server/engine_loader.h"
#include "server/version.h"

namespace attendant {
namespace {

ModelRegistry::Loader LoaderOf(const config::ServerConfig& config) {
  return [&config](const config::ModelConfig& model, SchedulerObserver& observer) {
    return LoadEngineModel(config, model, observer);
  };
}

// Every limit on purpose; gRPC's own defaults are mostly "none".
void SetLimits(const config::ServerConfig& config, grpc::ServerBuilder& builder) {
  const config::Transport& transport = config.transport();
  const auto set = [&builder](const char* name, int value) { builder.AddChannelArgument(name, value); };
  // Each method holds its own limit when it parses.
  builder.SetMaxReceiveMessageSize(static_cast<int>(
      std::max(config.limits().max_request_bytes(), config.limits().max_image_request_bytes())));
  grpc::ResourceQuota quota("attendant");
  quota.Resize(static_cast<size_t>(transport.max_buffer_bytes()));
  builder.SetResourceQuota(quota);
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, transport.max_concurrent_streams());
  set(GRPC_ARG_KEEPALIVE_TIME_MS, transport.keepalive_time_ms());
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, transport.keepalive_timeout_ms());
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, transport.min_ping_interval_ms());
  // One ping too many may be the network's doing; after the third the connection is told to go.
  constexpr int kMaxPingStrikes = 2;
  set(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes);
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, transport.handshake_timeout_ms());
  set(GRPC_ARG_MAX_METADATA_SIZE, transport.max_header_bytes());
  if (transport.max_connection_idle_ms() > 0) {
    set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, transport.max_connection_idle_ms());
  }
  if (transport.max_connection_age_ms() > 0) {
    set(GRPC_ARG_MAX_CONNECTION_AGE_MS, transport.max_connection_age_ms());  // gRPC varies it by a tenth.
  }
  if (transport.max_connection_age_grace_ms() > 0) {
    set(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, transport.max_connection_age_grace_ms());
  }
  // message.cc decompresses, within the limit; it knows gzip only.
  set(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
}

ListenerOptions ListenerOptionsOf(const config::ServerConfig& config) {
  const config::Transport& transport = config.transport();
  ListenerOptions options;
  options.address = config.listen_address();
  options.backlog = transport.accept_backlog();
  options.limits.max_connections = ConnectionsThatFit(transport.max_connections(), DescriptorLimit());
  options.limits.max_per_peer = transport.max_connections_per_peer();
  options.limits.handshake_timeout = std::chrono::milliseconds(transport.handshake_timeout_ms());
  options.unacknowledged_timeout = std::chrono::milliseconds(transport.keepalive_timeout_ms());
  return options;
}

// Twice what HTTP/2 allows: a call that the client takes for ended may still be ending here.
int64_t MostCallsOfAPeer(const config::Transport& transport) {
  constexpr int64_t kSlack = 100;
  return 2 * int64_t{transport.max_concurrent_streams()} + kSlack;
}

}  // namespace

Server::Server(const config::ServerConfig& config, const Logger& log)
    : config_(config),
      log_(log),
      connection_metrics_(*metrics_.registry()),
      process_metrics_(std::make_shared<ProcessMetrics>()),
      registry_(config_, {LoaderOf(config_), metrics_, log_, Clock::Real(), [this] { UpdateHealth(); }}),
      peer_calls_(MostCallsOfAPeer(config_.transport()),
                  [this](const std::string& peer) { listener_->CloseConnection(peer); }),
      stall_watch_(std::chrono::milliseconds(config_.transport().write_timeout_ms()), Clock::Real(),
                   peer_calls_),
      memory_guard_(config_.limits().memory_high_percent()),
      context_{config_.limits(), registry_,    metrics_,      log_,
               tracker_,         stall_watch_, Clock::Real(), memory_guard_},
      translation_service_(context_),
      embedding_service_(context_),
      classification_service_(context_),
      model_service_(context_) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const config::ServerConfig& config, const Logger& log) {
  std::unique_ptr<Server> server(new Server(config, log));
  server->UpdateHealth();
  ATTENDANT_RETURN_IF_ERROR(server->StartMetrics());
  ATTENDANT_RETURN_IF_ERROR(server->StartGrpc());
  ATTENDANT_RETURN_IF_ERROR(server->WritePortFile());
  server->LogStart();
  server->registry_.StartLoading();
  return server;
}

Server::~Server() {
  if (grpc_ != nullptr && !is_drained_) Drain();
}

absl::Status Server::StartMetrics() {
  if (config_.metrics_address().empty()) return absl::OkStatus();
  try {
    exposer_ = std::make_unique<prometheus::Exposer>(config_.metrics_address());
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", config_.metrics_address(),
                                               " for metrics (", error.what(),
                                               "); is the port taken? see --metrics"));
  }
  exposer_->RegisterCollectable(metrics_.registry());
  exposer_->RegisterCollectable(process_metrics_);
  metrics_port_ = exposer_->GetListeningPorts().front();
  return absl::OkStatus();
}

absl::Status Server::OpenFrontDoor() {
  const ListenerOptions options = ListenerOptionsOf(config_);
  absl::StatusOr<std::unique_ptr<Listener>> listener =
      Listener::Open(options, connection_metrics_, Clock::Real());
  if (!listener.ok()) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", config_.listen_address(), " (",
                                               listener.status().message(),
                                               "); is the port taken? see --listen"));
  }
  listener_ = *std::move(listener);
  grpc_port_ = listener_->port();
  if (options.limits.max_connections < config_.transport().max_connections()) {
    log_.Warning("fewer connections than max_connections, for want of descriptors; raise RLIMIT_NOFILE",
                 {{"connections", options.limits.max_connections}, {"descriptors", DescriptorLimit()}});
  }
  return absl::OkStatus();
}

absl::Status Server::StartGrpc() {
  ATTENDANT_RETURN_IF_ERROR(OpenFrontDoor());
  const std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  grpc::EnableDefaultHealthCheckService(false);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetLimits(config_, builder);
  acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  builder.RegisterService(&translation_service_);
  builder.RegisterService(&embedding_service_);
  builder.RegisterService(&classification_service_);
  builder.RegisterService(&model_service_);
  builder.RegisterService(&health_);
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr) return absl::InternalError("gRPC does not start; see the log");
  listener_->Start([this](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor_->HandleNewConnection(&connection);
  });
  return absl::OkStatus();
}

absl::Status Server::WritePortFile() const {
  if (config_.port_file().empty()) return absl::OkStatus();
  // Written whole or not at all: whoever waits for the file reads it at once.
  const std::string unfinished = config_.port_file() + ".tmp";
  std::ofstream out(unfinished);
  out << "grpc " << grpc_port_ << "\nmetrics " << metrics_port_ << "\n";
  out.close();
  if (out.good() && std::rename(unfinished.c_str(), config_.port_file().c_str()) == 0)
    return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("cannot write ", config_.port_file(), "; see --port-file"));
}

void Server::LogStart() const {
  LogFields models = LogFields::array();
  for (const config::ModelConfig& model : config_.model()) models.push_back(model.name());
  log_.Info("listening", {{"version", std::string(kVersion)},
                          {"grpc", config_.listen_address()},
                          {"grpc_port", grpc_port_},
                          {"metrics", config_.metrics_address()},
                          {"metrics_port", metrics_port_},
                          {"models", models},
                          {"cpus", DetectCpuBudget().num_cpus},
                          {"kv_cache_bytes", config_.engine().kv_cache_bytes()}});
}

void Server::UpdateHealth() {
  for (const ServedModel& model : registry_.List()) {
    health_.Set(absl::StrCat("models/", model.name), model.state == ModelState::kReady);
  }
  health_.Set("attendant.v1.ModelService", true);
  health_.Set("attendant.v1.TranslationService", registry_.IsReady({Task::kTranslate}));
  health_.Set("attendant.v1.EmbeddingService", registry_.IsReady({Task::kEmbedText, Task::kEmbedImage}));
  health_.Set("attendant.v1.ClassificationService",
              registry_.IsReady({Task::kClassifyText, Task::kClassifyImage, Task::kLabelTokens}));
  health_.Set("", registry_.IsReady());
}

bool Server::Drain() {
  const auto start = Clock::Real().Now();
  is_drained_ = true;
  log_.Info("draining", {{"grace_ms", config_.lifecycle().drain_grace_ms()},
                         {"timeout_ms", config_.lifecycle().drain_timeout_ms()}});
  metrics_.SetDraining();
  health_.BeginDrain();
  std::this_thread::sleep_for(std::chrono::milliseconds(config_.lifecycle().drain_grace_ms()));
  tracker_.StopAccepting();
  // Whoever does not take an answer shall not keep the others' drain from being complete.
  stall_watch_.Shorten(std::chrono::milliseconds(config_.lifecycle().drain_timeout_ms()) / 2);
  const bool is_idle = tracker_.WaitIdle(std::chrono::milliseconds(config_.lifecycle().drain_timeout_ms()));
  health_.EndWatches();
  listener_->StopAccepting();
  // Cuts off what is left, after all that is accepted has had its time.
  grpc_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  const std::chrono::duration<double> took = Clock::Real().Now() - start;
  log_.Info("drained", {{"complete", is_idle}, {"seconds", took.count()}});
  return is_idle;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace attendant
