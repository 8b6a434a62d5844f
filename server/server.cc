#include "server/server.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/cpu_budget.h"
#include "engine/base/status_macros.h"
#include "server/configuration.h"
#include "server/engine_loader.h"
#include "server/repository/warm_up.h"
#include "server/signals.h"
#include "server/version.h"

namespace attendant {
namespace {

ModelManager::Loader LoaderOf(const config::ServerConfig& config, CoreShares& cores) {
  return [&config, &cores](const config::ModelConfig& model, SchedulerObserver& observer) {
    return LoadEngineModel(config, model, cores, observer);
  };
}

absl::Status WarmUpModel(const EngineModel& engine) {
  return WarmUp(engine, std::chrono::minutes(2));
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

int64_t HttpConnectionsOf(const config::ServerConfig& config) {
  if (config.http_address().empty()) return 0;
  return HttpConnectionsThatFit(config.transport().http_max_connections(), DescriptorLimit());
}

ListenerOptions ListenerOptionsOf(const config::ServerConfig& config) {
  const config::Transport& transport = config.transport();
  ListenerOptions options;
  options.address = config.listen_address();
  options.backlog = transport.accept_backlog();
  options.limits.max_connections =
      ConnectionsThatFit(transport.max_connections(), DescriptorLimit() - HttpConnectionsOf(config));
  options.limits.max_per_peer = transport.max_connections_per_peer();
  options.limits.handshake_timeout = std::chrono::milliseconds(transport.handshake_timeout_ms());
  options.unacknowledged_timeout = std::chrono::milliseconds(transport.keepalive_timeout_ms());
  return options;
}

// Of a connection twice what HTTP/2 allows, as a call that the client takes for ended may still be ending
// here. In all so many as queues of that length can have use for; the rest are such as nobody waits for.
PeerCalls::Limits CallLimits(const config::ServerConfig& config) {
  constexpr int64_t kSlack = 100;
  PeerCalls::Limits limits;
  limits.of_peer = 2 * int64_t{config.transport().max_concurrent_streams()} + kSlack;
  limits.in_all = 2 * int64_t{config.scheduler().max_queue()} + limits.of_peer;
  limits.of_peer_when_full = kSlack;
  return limits;
}

}  // namespace

Server::Server(const config::ServerConfig& config, const Logger& log)
    : config_(config),
      log_(log),
      connection_metrics_(*metrics_.registry()),
      process_metrics_(std::make_shared<ProcessMetrics>()),
      identity_(config_, *metrics_.registry(), log_, Clock::Real()),
      cores_(DetectCpuBudget().num_cpus, Clock::Real()),
      registry_(metrics_),
      models_(config_, {LoaderOf(config_, cores_), WarmUpModel, registry_, metrics_, log_, Clock::Real(),
                        [this] { UpdateHealth(); }}),
      peer_calls_(CallLimits(config_), [this](const std::string& peer) { listener_->CloseConnection(peer); }),
      stall_watch_(std::chrono::milliseconds(config_.transport().write_timeout_ms()), Clock::Real(),
                   peer_calls_),
      memory_guard_(config_.limits().memory_high_percent()),
      context_{config_.limits(), registry_,     metrics_,         log_,         tracker_,
               stall_watch_,     Clock::Real(), identity_.keys(), memory_guard_},
      translation_service_(context_),
      embedding_service_(context_),
      classification_service_(context_),
      model_service_(context_),
      admin_service_(context_, models_),
      admin_model_service_(context_),
      inference_service_(context_, {health_, models_, kserve::Door::kMain}),
      admin_inference_service_(context_, {admin_health_, models_, kserve::Door::kAdmin}),
      reflection_(identity_.keys()),
      admin_reflection_(identity_.keys()) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const config::ServerConfig& config, const Logger& log) {
  std::unique_ptr<Server> server(new Server(config, log));
  server->UpdateHealth();
  ATTENDANT_RETURN_IF_ERROR(server->identity_.Start());
  ATTENDANT_RETURN_IF_ERROR(server->StartMetrics());
  const bool loads_first = config.lifecycle().listen_when_ready();
  if (loads_first) {
    server->models_.Start();
    ATTENDANT_RETURN_IF_ERROR(server->WaitUntilLoaded());
  }
  ATTENDANT_RETURN_IF_ERROR(server->StartGrpc());
  ATTENDANT_RETURN_IF_ERROR(server->StartAdmin());
  ATTENDANT_RETURN_IF_ERROR(server->StartHttp());
  ATTENDANT_RETURN_IF_ERROR(server->WritePortFile());
  server->LogStart();
  server->WarnOfOpenDoors();
  if (!loads_first) server->models_.Start();
  return server;
}

Server::~Server() {
  if (grpc_ != nullptr && !is_drained_) Drain();
}

absl::Status Server::StartMetrics() {
  if (config_.metrics_address().empty()) return absl::OkStatus();
  ATTENDANT_ASSIGN_OR_RETURN(metrics_listener_, MetricsListener::Open(config_.metrics_address()));
  prometheus::Exposer& exposer = metrics_listener_->exposer();
  if (identity_.has_keys() && !config_.auth().metrics_open()) {
    exposer.RegisterAuth([this](const std::string& id, const std::string& key) {
      return identity_.keys().Allows(Access::kMetrics, id, key);
    });
  }
  exposer.RegisterCollectable(metrics_.registry());
  exposer.RegisterCollectable(process_metrics_);
  return absl::OkStatus();
}

absl::Status Server::WaitUntilLoaded() const {
  while (!registry_.IsComplete()) {
    if (ShutdownSignals::IsPending()) return absl::CancelledError("told to stop while models were loading");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return absl::OkStatus();
}

absl::Status Server::OpenFrontDoor() {
  ListenerOptions options = ListenerOptionsOf(config_);
  options.is_full = [this] { return peer_calls_.IsFull(); };
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

std::vector<std::string> Server::RegisterServices(grpc::ServerBuilder& builder) {
  builder.RegisterService(&translation_service_);
  builder.RegisterService(&embedding_service_);
  builder.RegisterService(&classification_service_);
  builder.RegisterService(&model_service_);
  builder.RegisterService(&inference_service_);
  builder.RegisterService(&health_);
  return {
      v1::TranslationService::service_full_name(),          v1::EmbeddingService::service_full_name(),
      v1::ClassificationService::service_full_name(),       v1::ModelService::service_full_name(),
      inference::GRPCInferenceService::service_full_name(), grpc::health::v1::Health::service_full_name()};
}

std::vector<std::string> Server::RegisterAdminServices(grpc::ServerBuilder& builder) {
  builder.RegisterService(&admin_service_);
  builder.RegisterService(&admin_model_service_);
  builder.RegisterService(&admin_inference_service_);
  builder.RegisterService(&admin_health_);
  return {v1::AdminService::service_full_name(), v1::ModelService::service_full_name(),
          inference::GRPCInferenceService::service_full_name(),
          grpc::health::v1::Health::service_full_name()};
}

absl::Status Server::StartAdmin() {
  if (config_.admin_address().empty()) return absl::OkStatus();
  grpc::ServerBuilder builder;
  SetLimits(config_, builder);
  builder.AddListeningPort(config_.admin_address(), identity_.MakeCredentials(), &admin_port_);
  std::vector<std::string> services = RegisterAdminServices(builder);
  if (config_.auth().reflection() != config::Auth::OFF) {
    admin_reflection_.Register(builder, std::move(services));
  }
  admin_ = builder.BuildAndStart();
  if (admin_ != nullptr && admin_port_ != 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", config_.admin_address(), "; is the port taken? see --admin"));
}

absl::Status Server::StartGrpc() {
  ATTENDANT_RETURN_IF_ERROR(OpenFrontDoor());
  // Protobuf would write a line for each text of a client that is not UTF-8; the client is told, and that is
  // all.
  google::protobuf::SetLogHandler(nullptr);
  grpc::EnableDefaultHealthCheckService(false);
  grpc::ServerBuilder builder;
  SetLimits(config_, builder);
  acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, identity_.MakeCredentials());
  std::vector<std::string> services = RegisterServices(builder);
  const config::Auth::Reflection reflection = config_.auth().reflection();
  if (reflection == config::Auth::ON || (reflection == config::Auth::AUTO && !identity_.has_keys())) {
    reflection_.Register(builder, std::move(services));
  }
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr) return absl::InternalError("gRPC does not start; see the log");
  listener_->Start([this](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor_->HandleNewConnection(&connection);
  });
  return absl::OkStatus();
}

absl::Status Server::StartHttp() {
  if (config_.http_address().empty()) return absl::OkStatus();
  ATTENDANT_ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(config_.http_address()));
  HttpServer::Options options;
  options.host = address.host;
  options.port = address.port;
  const config::Transport& transport = config_.transport();
  constexpr int64_t kPartOfBuffers = 4;
  options.max_body_bytes = static_cast<size_t>(config_.limits().max_request_bytes());
  options.max_bytes_of_all_bodies =
      std::max(options.max_body_bytes, static_cast<size_t>(transport.max_buffer_bytes() / kPartOfBuffers));
  options.is_memory_high = [this] { return memory_guard_.IsHigh(); };
  options.max_connections = static_cast<int32_t>(HttpConnectionsOf(config_));
  if (options.max_connections < transport.http_max_connections()) {
    log_.Warning("fewer connections than http_max_connections, for want of descriptors; raise RLIMIT_NOFILE",
                 {{"connections", options.max_connections}, {"descriptors", DescriptorLimit()}});
  }
  options.max_connections_per_peer = transport.max_connections_per_peer();
  options.send_timeout = std::chrono::milliseconds(transport.write_timeout_ms());
  grpc::ChannelArguments arguments;
  constexpr int kUnlimited = -1;
  arguments.SetMaxReceiveMessageSize(kUnlimited);  // limits.max_answer_bytes holds it.
  ATTENDANT_ASSIGN_OR_RETURN(http_, HttpGateway::Start(options, grpc_->InProcessChannel(arguments)));
  return absl::OkStatus();
}

absl::Status Server::WritePortFile() const {
  if (config_.port_file().empty()) return absl::OkStatus();
  // Written whole or not at all: whoever waits for the file reads it at once.
  const std::string unfinished = config_.port_file() + ".tmp";
  std::ofstream out(unfinished);
  out << "grpc " << grpc_port_ << "\nmetrics " << metrics_port() << "\nadmin " << admin_port_ << "\nhttp "
      << http_port() << "\n";
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
                          {"metrics_port", metrics_port()},
                          {"http", config_.http_address()},
                          {"http_port", http_port()},
                          {"admin", config_.admin_address()},
                          {"admin_port", admin_port_},
                          {"tls", identity_.has_tls()},
                          {"mtls", !config_.tls().client_ca().empty()},
                          {"api_keys", identity_.has_keys()},
                          {"models", models},
                          {"cpus", DetectCpuBudget().num_cpus},
                          {"kv_cache_bytes", config_.engine().kv_cache_bytes()}});
}

// What is open to whom, where it reaches beyond this machine.
void Server::WarnOfOpenDoors() const {
  const bool needs_certificate = !config_.tls().client_ca().empty();
  for (const std::string& address :
       {config_.listen_address(), config_.admin_address(), config_.http_address()}) {
    const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
    if (!parsed.ok() || parsed->is_loopback) continue;
    const bool is_http = address == config_.http_address();
    if (!identity_.has_keys() && (is_http || !needs_certificate)) {
      log_.Warning("ANYBODY WHO REACHES THIS ADDRESS MAY CALL IT",
                   {{"address", address}, {"do", "give --api-keys or --tls-client-ca"}});
    }
    if (is_http || !identity_.has_tls()) {
      log_.Warning("TEXTS AND KEYS TRAVEL IN THE CLEAR",
                   {{"address", address}, {"do", "give --tls-certificate and --tls-key"}});
    }
  }
}

void Server::SetHealth(const std::string& service, bool is_serving) {
  health_.Set(service, is_serving);
  admin_health_.Set(service, is_serving);
}

void Server::UpdateHealth() {
  std::set<std::string> gone = std::exchange(known_models_, {});
  for (const ServedModel& model : registry_.List()) {
    SetHealth(absl::StrCat("models/", model.name), model.state == ModelState::kReady);
    known_models_.insert(model.name);
    gone.erase(model.name);
  }
  for (const std::string& name : gone) {
    health_.Remove(absl::StrCat("models/", name));
    admin_health_.Remove(absl::StrCat("models/", name));
  }
  SetHealth("attendant.v1.ModelService", true);
  SetHealth("attendant.v1.TranslationService", registry_.IsReady({Task::kTranslate}));
  SetHealth("attendant.v1.EmbeddingService", registry_.IsReady({Task::kEmbedText, Task::kEmbedImage}));
  SetHealth("attendant.v1.ClassificationService",
            registry_.IsReady({Task::kClassifyText, Task::kClassifyImage, Task::kLabelTokens}));
  SetHealth("inference.GRPCInferenceService", registry_.IsReady());
  SetHealth("", registry_.IsReady());
}

bool Server::Drain() {
  const auto start = Clock::Real().Now();
  is_drained_ = true;
  log_.Info("draining", {{"grace_ms", config_.lifecycle().drain_grace_ms()},
                         {"timeout_ms", config_.lifecycle().drain_timeout_ms()}});
  metrics_.SetDraining();
  health_.BeginDrain();
  admin_health_.BeginDrain();
  std::this_thread::sleep_for(std::chrono::milliseconds(config_.lifecycle().drain_grace_ms()));
  listener_->StopAccepting();
  if (http_ != nullptr) http_->StopAccepting();
  health_.EndWatches();  // Or they would hold their connections.
  admin_health_.EndWatches();
  models_.Stop();  // A load under way would hold its call.
  // Whoever does not take an answer shall not keep the others' drain from being complete.
  const auto timeout = std::chrono::milliseconds(config_.lifecycle().drain_timeout_ms());
  stall_watch_.Shorten(timeout / 2);
  const TimePoint end = Clock::Real().Now() + timeout;  // Of all that follows.
  WaitForConnectionsToAge(end);
  if (http_ != nullptr) {
    http_->Shorten(timeout / 2);
    http_->WaitIdle((end - Clock::Real().Now()) / 2);
    // gRPC 1.51 does not survive a call of its own process that begins after the shutdown.
    http_->CloseCalls();
  }
  const bool is_idle = FinishCalls(end);
  constexpr std::chrono::milliseconds kLastWords(500);
  if (http_ != nullptr) http_->WaitIdle(kLastWords);  // Its clients have their answers.
  const std::chrono::duration<double> took = Clock::Real().Now() - start;
  log_.Info("drained", {{"complete", is_idle}, {"seconds", took.count()}});
  return is_idle;
}

// Where connections have an age at which they are asked to go, all have gone within that time once no new
// ones come, and none lost a call: until then all are answered.
void Server::WaitForConnectionsToAge(TimePoint end) const {
  constexpr std::chrono::milliseconds kPoll(10), kRound(250);
  const auto age = std::chrono::milliseconds(config_.transport().max_connection_age_ms());
  // gRPC varies the age by a tenth.
  const TimePoint all_aged = Clock::Real().Now() + age + age / 10 + kRound;
  if (age.count() == 0 || all_aged > end) return;  // It would gain nothing, and leave no time for a GOAWAY.
  while (connection_metrics_.open() > 0 && Clock::Real().Now() < all_aged) std::this_thread::sleep_for(kPoll);
}

// Whoever is still connected is told to go elsewhere (GOAWAY); gRPC cancels a call that a client begins
// before it has read that. Not by refusals in answers: those a proxy hands on, where it tries another replica
// after a GOAWAY.
bool Server::FinishCalls(TimePoint end) {
  constexpr std::chrono::milliseconds kLastWords(500);
  const Duration timeout = std::max(end - Clock::Real().Now(), Duration::zero());
  const auto shut_down = [timeout, kLastWords](grpc::Server& server) {
    return std::async(std::launch::async, [&server, timeout, kLastWords] {
      server.Shutdown(std::chrono::system_clock::now() + timeout + kLastWords);
    });
  };
  const std::future<void> admin = admin_ == nullptr ? std::future<void>() : shut_down(*admin_);
  const std::future<void> main = shut_down(*grpc_);
  bool is_idle = tracker_.WaitIdle(timeout);
  if (main.wait_for(kLastWords) == std::future_status::ready) return is_idle;
  // Calls that nobody waits for (reflection), and those that began in the last moment.
  is_idle = is_idle && tracker_.WaitIdle(std::max(end - Clock::Real().Now(), Duration::zero()));
  tracker_.StopAccepting();
  grpc_server_cancel_all_calls(grpc_->c_server());
  if (admin_ != nullptr) grpc_server_cancel_all_calls(admin_->c_server());
  return is_idle;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace attendant
