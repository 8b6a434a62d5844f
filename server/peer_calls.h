#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace attendant {

// Counts the calls that each connection has in the server. HTTP/2 lets a client have max_concurrent_streams
// of them; one that resets its streams as fast as it opens them (CVE-2023-44487) has more, as a call that is
// reset is still to be ended here, and gRPC 1.51 sets no limit to that. Thread-safe.
class PeerCalls {
 public:
  // Told the connection that has more than the limit, at intervals while it has; without a lock.
  using OnTooMany = std::function<void(const std::string& peer)>;
  PeerCalls(int64_t limit, OnTooMany on_too_many) : limit_(limit), on_too_many_(std::move(on_too_many)) {}

  // One call of a connection, named as gRPC's peer() does.
  class Call {
   public:
    Call(PeerCalls& calls, std::string peer) : calls_(calls), peer_(std::move(peer)) { calls_.Enter(peer_); }
    ~Call() { calls_.Leave(peer_); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    PeerCalls& calls_;
    const std::string peer_;
  };

 private:
  void Enter(const std::string& peer);
  void Leave(const std::string& peer);

  const int64_t limit_;
  const OnTooMany on_too_many_;
  std::mutex mutex_;
  absl::flat_hash_map<std::string, int64_t> counts_;  // Guarded by mutex_. Of those with a call.
};

}  // namespace attendant
