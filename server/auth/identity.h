#pragma once

#include <grpcpp/security/server_credentials.h>
#include <prometheus/registry.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "engine/base/clock.h"
#include "server/auth/auth_metrics.h"
#include "server/auth/file_watch.h"
#include "server/auth/key_ring.h"
#include "server/auth/tls_credentials.h"
#include "server/auth/tls_files.h"
#include "server/logging.h"
#include "server/server_config.pb.h"

namespace attendant {

// Who the server is and who may call it: certificate and keys, read again within about a second after their
// files have changed. New ones that are wrong are logged and counted, and the old ones stay. Must outlive the
// gRPC servers that use it. Thread-safe once Start has returned.
class Identity {
 public:
  using UnixClock = std::function<int64_t()>;

  // config, registry, log and clock must outlive it.
  Identity(const config::ServerConfig& config, prometheus::Registry& registry, const Logger& log,
           const Clock& clock, UnixClock unix_now = &RealUnixTime);
  ~Identity();

  // Reads the files and begins to watch them. Errors: INVALID_ARGUMENT, one line that says what to do.
  absl::Status Start();

  KeyRing& keys() { return keys_; }
  bool has_tls() const { return !config_.tls().certificate().empty(); }
  bool has_keys() const { return !config_.auth().api_keys().empty(); }
  // For one listening port: TLS if it is configured, in the clear if not. After Start.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials();

  static int64_t RealUnixTime();

 private:
  absl::Status LoadKeys();
  absl::Status LoadTls();
  void WarnOfExpiry();
  // Twice a second.
  void Poll();
  void Watch();
  std::shared_ptr<const TlsMaterial> tls() const;

  const config::ServerConfig& config_;
  const Logger& log_;
  const UnixClock unix_now_;
  AuthMetrics metrics_;
  KeyRing keys_;
  std::list<TlsSource> tls_sources_;

  // Of the thread that watches, or of Start before there is one.
  std::optional<FileWatch> key_watch_;
  std::optional<FileWatch> tls_watch_;
  int64_t next_expiry_check_ = 0;  // Unix time.

  mutable std::mutex mutex_;
  std::condition_variable stop_;
  bool is_stopped_ = false;                 // Guarded by mutex_, as is ...
  std::shared_ptr<const TlsMaterial> tls_;  // ... the pair in force.
  std::thread thread_;
};

}  // namespace attendant
