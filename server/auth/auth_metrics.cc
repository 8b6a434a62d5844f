#include "server/auth/auth_metrics.h"

namespace attendant {
namespace {

prometheus::Family<prometheus::Counter>& AuthCounters(prometheus::Registry& registry, const char* name,
                                                      const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Gauge>& AuthGauges(prometheus::Registry& registry, const char* name,
                                                  const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

}  // namespace

AuthMetrics::AuthMetrics(prometheus::Registry& r)
    : key_requests_(AuthCounters(r, "attendant_key_requests_total",
                                 "Calls by the id of their key and what became of them at the door")),
      keys_(AuthGauges(r, "attendant_keys", "Keys of the key file that is in force")),
      key_reloads_(
          AuthCounters(r, "attendant_key_file_loads_total", "Times the key file was read, by result")),
      key_reloads_failed_(key_reloads_.Add({{"result", "refused"}})),
      tls_expiry_(AuthGauges(r, "attendant_tls_certificate_expiry_seconds",
                             "When the server's certificate expires, or the first of its chain; in seconds "
                             "since 1970")),
      tls_reloads_(
          AuthCounters(r, "attendant_tls_loads_total", "Times certificate and key were read, by result")),
      tls_reloads_failed_(tls_reloads_.Add({{"result", "refused"}})) {
  constexpr std::array<const char*, static_cast<size_t>(AuthFailure::kCount)> kReasons = {
      "missing", "malformed", "unknown", "role"};
  auto& failures =
      AuthCounters(r, "attendant_auth_failures_total", "Calls refused for who the caller is, by reason");
  for (size_t i = 0; i < kReasons.size(); ++i) failures_[i] = &failures.Add({{"reason", kReasons[i]}});
}

AuthMetrics::KeyCounters AuthMetrics::CountersOf(const std::string& id) {
  constexpr std::array<const char*, static_cast<size_t>(KeyOutcome::kCount)> kOutcomes = {
      "admitted", "role", "rate", "concurrency"};
  const std::lock_guard lock(mutex_);
  const bool has_series = ids_.count(id) > 0 || ids_.size() < kMaxSeries;
  if (has_series) ids_.insert(id);
  KeyCounters counters{};
  for (size_t i = 0; i < kOutcomes.size(); ++i) {
    counters[i] = &key_requests_.Add({{"key", has_series ? id : "other"}, {"result", kOutcomes[i]}});
  }
  return counters;
}

void AuthMetrics::OnKeysLoaded(size_t keys) {
  keys_.Add({}).Set(static_cast<double>(keys));
  key_reloads_.Add({{"result", "ok"}}).Increment();
}

void AuthMetrics::OnCertificateLoaded(int64_t not_after) {
  tls_expiry_.Add({}).Set(static_cast<double>(not_after));
  tls_reloads_.Add({{"result", "ok"}}).Increment();
}

}  // namespace attendant
