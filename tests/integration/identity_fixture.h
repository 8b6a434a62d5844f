#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "server/server.h"
#include "tests/server/auth/certificates.h"
#include "tests/server/temp_dir.h"

namespace attendant {

// One entry of the key file, whose key is "key-of-ID".
std::string KeyEntryText(const std::string& id, const std::string& rest);
inline std::string KeyOf(const std::string& id) {
  return "key-of-" + id;
}

// How a client connects: what it trusts ("": it does not speak TLS) and what it shows.
struct Connection {
  std::string trusted_pem;
  const TestCertificate* client = nullptr;
};
std::shared_ptr<grpc::Channel> ConnectSecurely(int port, const Connection& connection);

using CallMetadata = std::vector<std::pair<std::string, std::string>>;
inline CallMetadata Bearer(const std::string& id) {
  return {{"authorization", "Bearer " + KeyOf(id)}};
}

struct CallResult {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;
  std::string retry_after_ms;  // Of the trailing metadata; "": none.
};
// Calls any method, whatever its kind, with one empty message; OK once there is an answer.
CallResult CallAny(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                   const CallMetadata& metadata);

// What GET /metrics answers, its first line included. authorization: "": none is sent.
std::string ScrapeWith(int port, const std::string& authorization);

// A server of this process; its log is off.
class IdentityServer {
 public:
  explicit IdentityServer(const config::ServerConfig& config);
  Server& server() { return *server_; }

 private:
  Logger log_;
  std::unique_ptr<Server> server_;
};

// Files in a directory of the test, and a configuration that names them.
class IdentityFiles {
 public:
  IdentityFiles();

  // The key file, replaced as a whole.
  void WriteKeys(const std::string& text);
  // Certificate and key, each replaced as a whole.
  void WritePair(const std::string& certificate, const std::string& key);

  config::ServerConfig WithKeys(config::ServerConfig config) const;
  config::ServerConfig WithTls(config::ServerConfig config) const;
  config::ServerConfig WithMtls(config::ServerConfig config) const;

  const TestCertificate& ca() const { return ca_; }
  const TestCertificate& client_ca() const { return client_ca_; }
  const TempDir& dir() const { return dir_; }

 private:
  void Replace(const std::string& name, const std::string& text);

  const TempDir dir_;
  const TestCertificate ca_ = MakeCertificate({.common_name = "ca", .is_ca = true});
  const TestCertificate client_ca_ = MakeCertificate({.common_name = "client ca", .is_ca = true});
};

// As TestConfig, with a port for operators.
config::ServerConfig IdentityConfig();

}  // namespace attendant
