#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/base/clock.h"
#include "server/auth/auth_metrics.h"
#include "server/auth/key_file.h"
#include "server/auth/token_bucket.h"

namespace attendant {

// What a call asks of its caller.
enum class Access { kUnset, kAnyKey, kInfer, kAdmin, kMetrics };

// What a call shows of its caller.
struct CallerCredentials {
  std::optional<std::string> key;
  bool is_malformed = false;  // It shows something that is no key.
  std::vector<std::string> certificate_names;
};

// A caller's quota and counters; outlives reloads of the file as long as the id is in it.
struct KeyState {
  TokenBucket bucket;
  std::atomic<int32_t> in_flight{0};
  AuthMetrics::KeyCounters counters{};
};

struct KeyEntry {
  KeyRecord record;
  std::shared_ptr<KeyState> state;
};

// That a call was let in. Holds one of its key's concurrent calls until destroyed.
class Admission {
 public:
  Admission() = default;
  explicit Admission(std::shared_ptr<const KeyEntry> entry) : entry_(std::move(entry)) {}
  Admission(Admission&&) = default;
  Admission& operator=(Admission&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~Admission() {
    if (entry_ != nullptr) entry_->state->in_flight.fetch_sub(1, std::memory_order_relaxed);
  }
  // "" where no keys are asked for.
  std::string id() const { return entry_ == nullptr ? "" : entry_->record.id; }

 private:
  std::shared_ptr<const KeyEntry> entry_;
};

// The keys in force. Until Replace is called there are none and everything is open. Thread-safe.
class KeyRing {
 public:
  KeyRing(AuthMetrics& metrics, const Clock& clock) : metrics_(metrics), clock_(clock) {}

  // For calls from now on. Quotas of ids that stay go on where they are.
  void Replace(std::vector<KeyRecord> keys);
  bool is_open() const { return Current() == nullptr; }

  // Errors: UNAUTHENTICATED no key, or one that is not in force; PERMISSION_DENIED its role;
  // RESOURCE_EXHAUSTED over its quota, with RetryAfter.
  absl::StatusOr<Admission> Admit(Access access, const CallerCredentials& credentials);
  // Whether `id` may, by this key; without quotas. For /metrics.
  bool Allows(Access access, absl::string_view id, absl::string_view key);

 private:
  struct Ring {
    std::vector<std::shared_ptr<const KeyEntry>> entries;
    // By the first eight bytes of the digest: what the look-up may tell of them helps nobody, as a caller
    // cannot choose a digest. All of the digest is then compared in constant time.
    absl::flat_hash_map<uint64_t, std::vector<size_t>> by_digest;
    absl::flat_hash_map<std::string, size_t> by_certificate;
  };

  std::shared_ptr<const Ring> Current() const;
  std::shared_ptr<const KeyEntry> Find(const Ring& ring, const CallerCredentials& credentials) const;
  absl::Status Unauthenticated(const CallerCredentials& credentials);
  absl::StatusOr<Admission> AdmitWithinQuota(std::shared_ptr<const KeyEntry> entry);

  AuthMetrics& metrics_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Ring> ring_;                         // Guarded by mutex_. nullptr: open.
  std::map<std::string, std::shared_ptr<KeyState>> states_;  // Guarded by mutex_. Of the ids in force.
};

// When a call that is over its quota may come again, milliseconds, at least 1; nullopt: it is not.
std::optional<int64_t> RetryAfterMs(const absl::Status& status);

}  // namespace attendant
