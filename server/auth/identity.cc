#include "server/auth/identity.h"

#include <pthread.h>

#include <chrono>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/status_macros.h"

namespace attendant {
namespace {

constexpr auto kWatchInterval = std::chrono::milliseconds(500);
constexpr int64_t kDay = 24 * 3600;
constexpr int64_t kWarnBefore = 14 * kDay;

}  // namespace

Identity::Identity(const config::ServerConfig& config, prometheus::Registry& registry, const Logger& log,
                   const Clock& clock, UnixClock unix_now)
    : config_(config),
      log_(log),
      unix_now_(std::move(unix_now)),
      metrics_(registry),
      keys_(metrics_, clock) {}

Identity::~Identity() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::Status Identity::Start() {
  // Each watch before its files are read, so that no change falls between.
  if (has_tls()) {
    std::vector<std::string> files = {config_.tls().certificate(), config_.tls().key()};
    if (!config_.tls().client_ca().empty()) files.push_back(config_.tls().client_ca());
    tls_watch_.emplace(std::move(files));
    ATTENDANT_RETURN_IF_ERROR(LoadTls());
  }
  if (has_keys()) {
    key_watch_.emplace(std::vector<std::string>{config_.auth().api_keys()});
    ATTENDANT_RETURN_IF_ERROR(LoadKeys());
  }
  if (has_tls() || has_keys()) thread_ = std::thread([this] { Watch(); });
  return absl::OkStatus();
}

std::shared_ptr<grpc::ServerCredentials> Identity::MakeCredentials() {
  if (!has_tls()) return grpc::InsecureServerCredentials();
  return tls_sources_.emplace_back([this] { return tls(); }).MakeCredentials();
}

std::shared_ptr<const TlsMaterial> Identity::tls() const {
  const std::lock_guard lock(mutex_);
  return tls_;
}

absl::Status Identity::LoadKeys() {
  absl::StatusOr<std::vector<KeyRecord>> keys = ReadKeyFile(config_.auth().api_keys());
  if (!keys.ok()) return keys.status();
  metrics_.OnKeysLoaded(keys->size());
  log_.Info("keys loaded", {{"keys", keys->size()}});
  keys_.Replace(*std::move(keys));
  return absl::OkStatus();
}

absl::Status Identity::LoadTls() {
  ATTENDANT_ASSIGN_OR_RETURN(TlsMaterial material, ReadTlsFiles(config_.tls(), unix_now_()));
  metrics_.OnCertificateLoaded(material.not_after);
  log_.Info("certificate loaded", {{"expires_in_days", (material.not_after - unix_now_()) / kDay},
                                   {"mtls", !material.client_ca.empty()}});
  {
    const std::lock_guard lock(mutex_);
    tls_ = std::make_shared<const TlsMaterial>(std::move(material));
  }
  next_expiry_check_ = 0;
  WarnOfExpiry();
  return absl::OkStatus();
}

// Once a day, and at each load.
void Identity::WarnOfExpiry() {
  const int64_t now = unix_now_();
  if (now < next_expiry_check_) return;
  next_expiry_check_ = now + kDay;
  const int64_t left = tls()->not_after - now;
  if (left <= 0) {
    log_.Error("certificate expired", {{"file", config_.tls().certificate()}, {"do", "put a new one there"}});
  } else if (left < kWarnBefore) {
    log_.Warning(
        "certificate expires soon",
        {{"file", config_.tls().certificate()}, {"hours", left / 3600}, {"do", "put a new one there"}});
  }
}

void Identity::Poll() {
  if (tls_watch_.has_value()) {
    if (tls_watch_->HasSettledChange()) {
      if (const absl::Status status = LoadTls(); !status.ok()) {
        metrics_.OnCertificateRefused();
        log_.Error("certificate refused, the old one stays", {{"reason", std::string(status.message())}});
      }
    }
    WarnOfExpiry();
  }
  if (key_watch_.has_value() && key_watch_->HasSettledChange()) {
    if (const absl::Status status = LoadKeys(); !status.ok()) {
      metrics_.OnKeysRefused();
      log_.Error("key file refused, the old keys stay", {{"reason", std::string(status.message())}});
    }
  }
}

void Identity::Watch() {
  pthread_setname_np(pthread_self(), "identity");
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kWatchInterval, [this] { return is_stopped_; })) {
    lock.unlock();
    Poll();
    lock.lock();
  }
}

int64_t Identity::RealUnixTime() {
  return std::time(nullptr);
}

}  // namespace attendant
