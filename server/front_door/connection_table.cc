#include "server/front_door/connection_table.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace attendant {
namespace {

// The kernel's names, which only netinet/tcp.h has, and that one lacks tcpi_bytes_received.
constexpr int kTcpFinWait1 = 4, kTcpFinWait2 = 5, kTcpClosing = 11;
// HTTP/2's preface and an empty SETTINGS frame: whoever sent less has not shaken hands.
constexpr uint64_t kHandshakeBytes = 24 + 9;

}  // namespace

ConnectionTable::ConnectionTable(const Limits& limits, int epoll_fd, ConnectionMetrics& metrics,
                                 const Clock& clock)
    : limits_(limits), epoll_fd_(epoll_fd), metrics_(metrics), clock_(clock) {}

ConnectionTable::~ConnectionTable() {
  for (const auto& [watched, connection] : connections_) close(watched);
  metrics_.SetOpen(0);
}

std::optional<CloseReason> ConnectionTable::WhyRefused(const std::string& peer) const {
  if (static_cast<int64_t>(connections_.size()) >= limits_.max_connections) return CloseReason::kTooMany;
  if (limits_.max_per_peer == 0) return std::nullopt;
  const auto found = peer_count_.find(peer);
  if (found == peer_count_.end() || found->second < limits_.max_per_peer) return std::nullopt;
  return CloseReason::kTooManyPerPeer;
}

bool ConnectionTable::Add(int fd, const SocketAddress& peer) {
  const int watched = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (watched < 0) return false;
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLET;  // EPOLLHUP and EPOLLERR come unasked.
  event.data.fd = watched;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, watched, &event) != 0) {
    close(watched);
    return false;
  }
  Connection& connection = connections_[watched];
  connection.peer = PeerKey(peer);
  connection.key = ConnectionKey(peer);
  connection.opened = clock_.Now();
  by_key_[connection.key] = watched;
  ++peer_count_[connection.peer];
  metrics_.SetOpen(connections_.size());
  return true;
}

void ConnectionTable::End(const std::string& key, CloseReason reason) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  Connection& connection = connections_[found->second];
  if (connection.reason.has_value()) return;
  connection.reason = reason;
  shutdown(found->second, SHUT_RDWR);
}

void ConnectionTable::OnEvent(int watched, uint32_t events) {
  const auto found = connections_.find(watched);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if ((events & EPOLLHUP) == 0) {
    if ((events & EPOLLRDHUP) != 0) connection.peer_ended = true;
    return;
  }
  metrics_.OnClosed(ReasonOf(watched, connection, events));
  close(watched);
  const auto count = peer_count_.find(connection.peer);
  if (--count->second == 0) peer_count_.erase(count);
  const auto by_key = by_key_.find(connection.key);
  if (by_key != by_key_.end() && by_key->second == watched) by_key_.erase(by_key);
  connections_.erase(found);
  metrics_.SetOpen(connections_.size());
}

CloseReason ConnectionTable::ReasonOf(int watched, const Connection& connection, uint32_t events) const {
  if (connection.reason.has_value()) return *connection.reason;
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (getsockopt(watched, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return CloseReason::kReset;
  // gRPC counts from a time that it took a little earlier.
  const bool has_waited = clock_.Now() - connection.opened >= limits_.handshake_timeout * 3 / 4;
  if (!connection.peer_ended && has_waited && info.tcpi_bytes_received < kHandshakeBytes) {
    return CloseReason::kHandshake;
  }
  if (connection.peer_ended) return CloseReason::kPeer;
  if ((events & EPOLLERR) != 0) return CloseReason::kReset;
  const int state = info.tcpi_state;
  const bool we_began = state == kTcpFinWait1 || state == kTcpFinWait2 || state == kTcpClosing;
  return we_began ? CloseReason::kServer : CloseReason::kPeer;
}

}  // namespace attendant
