#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>

namespace attendant {

enum class AuthFailure { kMissing, kMalformed, kUnknown, kRole, kCount };
enum class KeyOutcome { kAdmitted, kRole, kRate, kConcurrency, kCount };

// What is counted about who calls. The label `key` takes the ids of the key file and no more than kMaxSeries
// of them in the life of the process; the rest are "other". Thread-safe.
class AuthMetrics {
 public:
  using KeyCounters = std::array<prometheus::Counter*, static_cast<size_t>(KeyOutcome::kCount)>;
  static constexpr size_t kMaxSeries = 4000;

  explicit AuthMetrics(prometheus::Registry& registry);

  void OnFailure(AuthFailure failure) { failures_[static_cast<size_t>(failure)]->Increment(); }
  KeyCounters CountersOf(const std::string& id);
  void OnKeysLoaded(size_t keys);
  void OnKeysRefused() { key_reloads_failed_.Increment(); }
  // not_after: Unix time.
  void OnCertificateLoaded(int64_t not_after);
  void OnCertificateRefused() { tls_reloads_failed_.Increment(); }

 private:
  using Counters = prometheus::Family<prometheus::Counter>;
  using Gauges = prometheus::Family<prometheus::Gauge>;

  std::array<prometheus::Counter*, static_cast<size_t>(AuthFailure::kCount)> failures_{};
  Counters& key_requests_;
  Gauges& keys_;
  Counters& key_reloads_;
  prometheus::Counter& key_reloads_failed_;
  Gauges& tls_expiry_;
  Counters& tls_reloads_;
  prometheus::Counter& tls_reloads_failed_;

  std::mutex mutex_;
  std::set<std::string> ids_;  // Guarded by mutex_.
};

}  // namespace attendant
