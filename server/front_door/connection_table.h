#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "engine/base/clock.h"
#include "server/front_door/address.h"
#include "server/front_door/connection_metrics.h"

namespace attendant {

// The open connections, each by a descriptor of our own (a dup) that an epoll set watches. gRPC tells nobody
// when it closes a connection, but it shuts the socket down first, which the dup sees as EPOLLHUP; so does it
// when the connection breaks, or when both sides have ended it. A client that ends its side alone does not
// count as gone. Not thread-safe: the listener's thread has it.
class ConnectionTable {
 public:
  struct Limits {
    int64_t max_connections = 0;
    int64_t max_per_peer = 0;      // 0: none.
    Duration handshake_timeout{};  // gRPC's: whom the server closes so soon never shook hands.
  };
  // epoll_fd and metrics outlive the table. Watched descriptors have themselves as epoll data.
  ConnectionTable(const Limits& limits, int epoll_fd, ConnectionMetrics& metrics, const Clock& clock);
  ~ConnectionTable();  // Closes its own descriptors; the connections stay as they are.
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  // Why one more of this peer (PeerKey) is refused; nothing if it is not.
  std::optional<CloseReason> WhyRefused(const std::string& peer) const;
  // Watches fd's connection by a dup; false if there is no descriptor for that.
  bool Add(int fd, const SocketAddress& peer);
  // Ends the connection with this ConnectionKey, if there is one: gRPC sees that, and what it has for it
  // ends.
  void End(const std::string& key, CloseReason reason);
  // What epoll said of a watched descriptor.
  void OnEvent(int watched, uint32_t events);

  size_t size() const { return connections_.size(); }

 private:
  struct Connection {
    std::string peer;
    std::string key;
    TimePoint opened;
    bool peer_ended = false;            // The client has ended its side.
    std::optional<CloseReason> reason;  // Of End.
  };
  CloseReason ReasonOf(int watched, const Connection& connection, uint32_t events) const;

  const Limits limits_;
  const int epoll_fd_;
  ConnectionMetrics& metrics_;
  const Clock& clock_;
  absl::flat_hash_map<int, Connection> connections_;      // By watched descriptor.
  absl::flat_hash_map<std::string, int> by_key_;          // Watched descriptors.
  absl::flat_hash_map<std::string, int64_t> peer_count_;  // Of those with a connection.
};

}  // namespace attendant
