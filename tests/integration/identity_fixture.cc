#include "tests/integration/identity_fixture.h"

#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "server/sha256.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

config::Logging NoLog() {
  config::Logging options;
  options.set_level(config::Logging::ERROR);
  return options;
}

}  // namespace

std::string KeyEntryText(const std::string& id, const std::string& rest) {
  return absl::StrCat("key { id: '", id, "' sha256: '", ToHex(Sha256(KeyOf(id))), "' ", rest, " }\n");
}

std::shared_ptr<grpc::Channel> ConnectSecurely(int port, const Connection& connection) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  const std::string address = absl::StrCat("127.0.0.1:", port);
  if (connection.trusted_pem.empty()) {
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = connection.trusted_pem;
  if (connection.client != nullptr) {
    ssl.pem_cert_chain = connection.client->pem;
    ssl.pem_private_key = connection.client->key_pem;
  }
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(ssl), arguments);
}

CallResult CallAny(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                   const CallMetadata& metadata) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  grpc::CompletionQueue queue;
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  wait();
  const grpc::Slice nothing("");
  call->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), nullptr);
  wait();
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  const bool has_answer = wait();
  if (has_answer) context.TryCancel();
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  queue.Shutdown();
  while (wait()) {
  }
  CallResult result;
  if (has_answer) return result;
  result.code = status.error_code();
  result.message = status.error_message();
  const auto retry = context.GetServerTrailingMetadata().find("retry-after-ms");
  if (retry != context.GetServerTrailingMetadata().end()) {
    result.retry_after_ms = std::string(retry->second.data(), retry->second.size());
  }
  return result;
}

std::string ScrapeWith(int port, const std::string& authorization) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string header =
        authorization.empty() ? "" : absl::StrCat("Authorization: ", authorization, "\r\n");
    const std::string request =
        absl::StrCat("GET /metrics HTTP/1.1\r\nHost: localhost\r\n", header, "Connection: close\r\n\r\n");
    if (send(fd, request.data(), request.size(), 0) > 0) {
      char buffer[4096];
      for (ssize_t got = 0; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, got);
    }
  }
  close(fd);
  return answer;
}

IdentityServer::IdentityServer(const config::ServerConfig& config) : log_(NoLog()) {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(config, log_);
  if (!server.ok()) throw std::runtime_error(std::string(server.status().message()));
  server_ = *std::move(server);
}

IdentityFiles::IdentityFiles() {
  const TestCertificate server = MakeCertificate({.issuer = &ca_});
  WritePair(server.pem, server.key_pem);
  Replace("client_ca.pem", client_ca_.pem);
}

void IdentityFiles::Replace(const std::string& name, const std::string& text) {
  std::filesystem::rename(dir_.Write(name + ".new", text), dir_.path() / name);
}

void IdentityFiles::WriteKeys(const std::string& text) {
  Replace("keys.txt", text);
}

void IdentityFiles::WritePair(const std::string& certificate, const std::string& key) {
  Replace("cert.pem", certificate);
  Replace("key.pem", key);
}

config::ServerConfig IdentityFiles::WithKeys(config::ServerConfig config) const {
  config.mutable_auth()->set_api_keys(dir_.path() / "keys.txt");
  return config;
}

config::ServerConfig IdentityFiles::WithTls(config::ServerConfig config) const {
  config.mutable_tls()->set_certificate(dir_.path() / "cert.pem");
  config.mutable_tls()->set_key(dir_.path() / "key.pem");
  return config;
}

config::ServerConfig IdentityFiles::WithMtls(config::ServerConfig config) const {
  config = WithTls(std::move(config));
  config.mutable_tls()->set_client_ca(dir_.path() / "client_ca.pem");
  return config;
}

config::ServerConfig IdentityConfig() {
  config::ServerConfig config = TestConfig();
  config.set_admin_address("127.0.0.1:0");
  config.mutable_engine()->set_num_workers(1);
  return config;
}

}  // namespace attendant
