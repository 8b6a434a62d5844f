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
// request,
//    however it trickles. 2. It has send_timeout to take its answer. 3. A request's line and headers have at
//    most
// 32 KiB and its body max_body_bytes; a longer body is 413. 4. More than max_connections are not accepted:
// they wait in the system's queue until another has gone.
// 5. Every request that was read whole is given to the handler once, and its client's going is told to it.
// Thread-safe.
class HttpServer {
 public:
  struct Options {
    std::string host;  // A numeric address, IPv6 in brackets, or "localhost".
    int port = 0;      // 0: the system chooses.
    size_t max_body_bytes = 4 << 20;
    int32_t max_connections = 2048;
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

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attendant
