#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/base/clock.h"
#include "server/front_door/address.h"
#include "server/front_door/connection_metrics.h"
#include "server/front_door/connection_table.h"

namespace attendant {

struct ListenerOptions {
  std::string address;  // HOST:PORT, as ResolveToListen takes it.
  int backlog = 1024;   // Connections that may wait to be accepted.
  ConnectionTable::Limits limits;
  Duration unacknowledged_timeout{};  // What we sent and nobody acknowledged for so long ends a connection.
  std::function<bool()> is_full{};  // Too many calls are in the server for one more connection. Empty: never.
};

// So many connections that the process has descriptors for, two each, when some are kept for all else; at
// most `wanted`, at least 1.
int64_t ConnectionsThatFit(int64_t wanted, int64_t descriptor_limit);
// So many of HTTP, which take one descriptor each and a quarter of all at most; at most `wanted`, at least 1.
int64_t HttpConnectionsThatFit(int64_t wanted, int64_t descriptor_limit);
// The limit of this process; "infinity" is a large number.
int64_t DescriptorLimit();

// Listens, accepts, and hands connections on. Unlike gRPC's own listener (CVE-2023-4785) it goes on when the
// process runs out of descriptors: what comes is then closed at once, and the next is tried as soon as there
// is one. Thread-safe.
class Listener {
 public:
  // Is given connected descriptors to keep, non-blocking and close-on-exec. On the listener's thread.
  using OnConnection = std::function<void(int fd)>;

  // Binds and listens; connections wait until Start. metrics and clock outlive the listener.
  // Errors: UNAVAILABLE the port is taken, or the host is not ours; INVALID_ARGUMENT the address.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(const ListenerOptions& options,
                                                        ConnectionMetrics& metrics, const Clock& clock);
  // Stops if nobody did. Connections that were handed on live on, uncounted.
  ~Listener();

  // Of all addresses the same.
  int port() const { return port_; }
  // Once.
  void Start(OnConnection on_connection);
  // Hands on what waits to be accepted, then closes the port; what is open is still watched. Idempotent.
  void StopAccepting();
  // Ends the connection that gRPC names so (peer()), soon.
  void CloseConnection(absl::string_view grpc_peer);

 private:
  Listener(const ListenerOptions& options, ConnectionMetrics& metrics, const Clock& clock);
  absl::Status Listen();
  absl::Status ListenOn(const std::vector<SocketAddress>& addresses);
  absl::Status ListenOnOne(SocketAddress address);
  void CloseSockets();
  void Run();
  void CloseAsked();
  void AcceptWaiting(int listening, int at_most);
  bool AcceptOne(int listening);
  void OnNoDescriptor(int listening);
  void Take(int fd, const SocketAddress& peer);
  void Refuse(int fd, CloseReason reason);
  void Wake();

  const ListenerOptions options_;
  ConnectionMetrics& metrics_;
  const int epoll_;
  const int wakeup_;  // An eventfd.
  int spare_;         // Given up when there is no other descriptor, to take a connection and close it.
  ConnectionTable connections_;
  std::vector<int> sockets_;  // Of Start's caller before, of the thread after.
  int port_ = 0;
  OnConnection on_connection_;
  bool is_paused_ = false;
  std::mutex mutex_;
  std::vector<std::string> to_close_;  // Keys. Guarded by mutex_.
  std::atomic<bool> stop_accepting_{false};
  std::atomic<bool> has_stopped_{false};
  std::atomic<bool> quit_{false};
  std::thread thread_;
};

}  // namespace attendant
