#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/base/clock.h"
#include "server/http/http_exchange.h"

namespace attendant {

// Listens for HTTP/1.1 (libmicrohttpd): one thread of its own for all connections, so that a connection costs
// no thread, and every phase of one has an end:
// 1. A connection has receive_timeout, from when it was accepted or last answered, to have sent a whole
//    request, however it trickles.
// 2. It has send_timeout to take its answer.
// 3. A request's line and headers have at most 32 KiB and its body max_body_bytes; a longer body is 413.
// 4. The bodies that are here, until they are answered, have at most max_bytes_of_all_bodies together. What
//    would be more, or comes while memory is high, is not kept: 503, and the connection is closed.
// 5. More than max_connections are not accepted: they wait in the system's queue until another has gone. More
//    than max_connections_per_peer of one address are closed at once.
// 6. Every request that was read whole is given to the handler once, and its client's going is told to it.
// Thread-safe.
class HttpServer {
 public:
  struct Options {
    std::string host;  // A numeric address, IPv6 in brackets, or "localhost".
    int port = 0;      // 0: the system chooses.
    size_t max_body_bytes = 4 << 20;
    size_t max_bytes_of_all_bodies = 256 << 20;
    // Called on the server's thread. None: it never is.
    std::function<bool()> is_memory_high;
    int32_t max_connections = 512;
    int32_t max_connections_per_peer = 0;  // 0: no limit of its own.
    Duration receive_timeout = std::chrono::seconds(30);
    Duration send_timeout = std::chrono::seconds(60);
  };
  // On the server's thread: hands the work on.
  using Handler = std::function<void(std::shared_ptr<HttpExchange>)>;

  // Errors: UNAVAILABLE it cannot listen there.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options, Handler handler);
  // Waits until all exchanges are answered, which somebody else sees to.
  ~HttpServer();

  int port() const;
  // Takes no more connections; those that there are are closed after their next answer.
  void StopAccepting();
  // Until every request that was read whole is answered and the client has the answer; false if `timeout`
  // came first.
  bool WaitIdle(Duration timeout);
  // From now on at most so long for send_timeout, also for answers that are on their way.
  void Shorten(Duration send_timeout);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attendant
