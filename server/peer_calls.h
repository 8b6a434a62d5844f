#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace attendant {

// Counts the calls that each connection has in the server, and all of them. HTTP/2 lets a client have
// max_concurrent_streams of them; one that resets its streams as fast as it opens them (CVE-2023-44487) has
// more, as a call that is reset is still to be ended here, and gRPC 1.51 sets no limit to that. Nor to who
// comes again with another connection. Thread-safe.
class PeerCalls {
 public:
  // Told the connection that has more than the limit, at intervals while it has; without a lock.
  using OnTooMany = std::function<void(const std::string& peer)>;
  struct Limits {
    int64_t of_peer = 0;
    int64_t in_all = 0;
    int64_t of_peer_when_full = 0;  // Once there are more than in_all.
  };
  PeerCalls(const Limits& limits, OnTooMany on_too_many)
      : limits_(limits), on_too_many_(std::move(on_too_many)) {}

  // There are more than in_all: nobody else should be let in now.
  bool IsFull() const;

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

  const Limits limits_;
  const OnTooMany on_too_many_;
  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, int64_t> counts_;  // Guarded by mutex_, as is ... Of those with a call.
  int64_t total_ = 0;
};

}  // namespace attendant
