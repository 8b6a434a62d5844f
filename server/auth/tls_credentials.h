#pragma once

#include <grpcpp/security/server_credentials.h>

#include <functional>
#include <memory>
#include <mutex>

#include "server/auth/tls_files.h"

namespace attendant {

// Gives gRPC the certificate in force at each handshake, so that a new one needs no restart. gRPC's own
// FileWatcherCertificateProvider does not check that a new key fits its certificate, and drops the pair that
// it has before it tries the new one; here only checked pairs ever come. One for each listening port. Must
// outlive the gRPC server.
class TlsSource {
 public:
  // current: never null, may be called from any thread.
  explicit TlsSource(std::function<std::shared_ptr<const TlsMaterial>()> current)
      : current_(std::move(current)) {}

  // TLS 1.2 or 1.3. A client certificate is required and verified if there is a client_ca; whether there is
  // one is decided here, once.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials();
  // What the next handshake is to use; nullptr: the same as the last one.
  std::shared_ptr<const TlsMaterial> TakeNew();

 private:
  const std::function<std::shared_ptr<const TlsMaterial>()> current_;
  std::mutex mutex_;
  std::shared_ptr<const TlsMaterial> taken_;  // Guarded by mutex_.
};

}  // namespace attendant
