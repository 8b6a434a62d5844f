#include "server/auth/key_ring.h"

#include <cstring>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

constexpr absl::string_view kRetryPayload = "attendant/retry-after-ms";
// How long a caller's own calls take is the caller's to know.
constexpr Duration kConcurrencyRetry = std::chrono::milliseconds(100);

uint64_t Prefix(const Sha256Digest& digest) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, digest.data(), sizeof(prefix));
  return prefix;
}

bool Grants(const KeyRecord& key, Access access) {
  switch (access) {
    case Access::kAnyKey:
      return true;
    case Access::kInfer:
      return key.Has(auth::Key::INFER);
    case Access::kAdmin:
      return key.Has(auth::Key::ADMIN);
    case Access::kMetrics:
      return key.Has(auth::Key::METRICS);
    case Access::kUnset:
      break;
  }
  return false;
}

absl::string_view RoleName(Access access) {
  constexpr absl::string_view kNames[] = {"none", "any", "infer", "admin", "metrics"};
  return kNames[static_cast<size_t>(access)];
}

absl::Status OverQuota(const KeyRecord& key, absl::string_view what, Duration after) {
  absl::Status status = absl::ResourceExhaustedError(
      absl::StrCat("key ", key.id, " is over its quota of ", what, "; come again later"));
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(after).count();
  status.SetPayload(kRetryPayload, absl::Cord(absl::StrCat(ms)));
  return status;
}

void Count(const KeyEntry& entry, KeyOutcome outcome) {
  entry.state->counters[static_cast<size_t>(outcome)]->Increment();
}

}  // namespace

std::optional<int64_t> RetryAfterMs(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryPayload);
  int64_t ms = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &ms)) return std::nullopt;
  return ms;
}

void KeyRing::Replace(std::vector<KeyRecord> keys) {
  auto ring = std::make_shared<Ring>();
  std::map<std::string, std::shared_ptr<KeyState>> states;
  const std::lock_guard lock(mutex_);
  for (KeyRecord& key : keys) {
    std::shared_ptr<KeyState>& state = states[key.id];
    if (const auto old = states_.find(key.id); old != states_.end()) state = old->second;
    if (state == nullptr) {
      state = std::make_shared<KeyState>();
      state->counters = metrics_.CountersOf(key.id);
    }
    const size_t index = ring->entries.size();
    if (key.digest.has_value()) ring->by_digest[Prefix(*key.digest)].push_back(index);
    for (const std::string& name : key.certificates) ring->by_certificate[name] = index;
    ring->entries.push_back(std::make_shared<KeyEntry>(KeyEntry{std::move(key), state}));
  }
  states_ = std::move(states);
  ring_ = std::move(ring);
}

std::shared_ptr<const KeyRing::Ring> KeyRing::Current() const {
  const std::lock_guard lock(mutex_);
  return ring_;
}

std::shared_ptr<const KeyEntry> KeyRing::Find(const Ring& ring, const CallerCredentials& credentials) const {
  if (credentials.is_malformed) return nullptr;
  if (credentials.key.has_value()) {
    const Sha256Digest digest = Sha256(*credentials.key);
    const auto found = ring.by_digest.find(Prefix(digest));
    if (found == ring.by_digest.end()) return nullptr;
    for (const size_t index : found->second) {
      if (AreEqualInConstantTime(digest, *ring.entries[index]->record.digest)) return ring.entries[index];
    }
    return nullptr;
  }
  for (const std::string& name : credentials.certificate_names) {
    const auto found = ring.by_certificate.find(name);
    if (found != ring.by_certificate.end()) return ring.entries[found->second];
  }
  return nullptr;
}

absl::Status KeyRing::Unauthenticated(const CallerCredentials& credentials) {
  if (credentials.is_malformed) {
    metrics_.OnFailure(AuthFailure::kMalformed);
    return absl::UnauthenticatedError("the credentials are not of the form  authorization: Bearer KEY");
  }
  if (credentials.key.has_value()) {
    metrics_.OnFailure(AuthFailure::kUnknown);
    return absl::UnauthenticatedError("the API key is not one of this server");
  }
  metrics_.OnFailure(AuthFailure::kMissing);
  return absl::UnauthenticatedError("this server asks for an API key: send  authorization: Bearer KEY");
}

absl::StatusOr<Admission> KeyRing::AdmitWithinQuota(std::shared_ptr<const KeyEntry> entry) {
  const KeyRecord& key = entry->record;
  Admission admission(entry);
  const int32_t others = entry->state->in_flight.fetch_add(1, std::memory_order_relaxed);
  if (key.max_concurrent > 0 && others >= key.max_concurrent) {
    Count(*entry, KeyOutcome::kConcurrency);
    return OverQuota(key, absl::StrCat(key.max_concurrent, " calls at a time"), kConcurrencyRetry);
  }
  const Duration wait = entry->state->bucket.Take(key.rate, clock_.Now());
  if (wait > Duration::zero()) {
    Count(*entry, KeyOutcome::kRate);
    return OverQuota(key, absl::StrCat(key.rate.per_second, " calls a second"), wait);
  }
  Count(*entry, KeyOutcome::kAdmitted);
  return admission;
}

absl::StatusOr<Admission> KeyRing::Admit(Access access, const CallerCredentials& credentials) {
  const std::shared_ptr<const Ring> ring = Current();
  if (ring == nullptr) return Admission();
  std::shared_ptr<const KeyEntry> entry = Find(*ring, credentials);
  if (entry == nullptr) return Unauthenticated(credentials);
  if (!Grants(entry->record, access)) {
    metrics_.OnFailure(AuthFailure::kRole);
    Count(*entry, KeyOutcome::kRole);
    return absl::PermissionDeniedError(
        absl::StrCat("key ", entry->record.id, " does not have the role ", RoleName(access)));
  }
  return AdmitWithinQuota(std::move(entry));
}

bool KeyRing::Allows(Access access, absl::string_view id, absl::string_view key) {
  const std::shared_ptr<const Ring> ring = Current();
  if (ring == nullptr) return true;
  CallerCredentials credentials;
  credentials.key = std::string(key);
  const std::shared_ptr<const KeyEntry> entry = Find(*ring, credentials);
  if (entry == nullptr || entry->record.id != id) {
    metrics_.OnFailure(AuthFailure::kUnknown);
    return false;
  }
  if (Grants(entry->record, access)) return true;
  metrics_.OnFailure(AuthFailure::kRole);
  return false;
}

}  // namespace attendant
