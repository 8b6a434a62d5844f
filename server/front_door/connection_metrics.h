#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <cstdint>

namespace attendant {

// What ended a connection; the label of attendant_connections_closed_total.
enum class CloseReason {
  kPeer,            // The client closed it.
  kServer,          // We did: idle, too old, no answer to pings, a broken protocol, the end of the server.
  kReset,           // It broke.
  kHandshake,       // It had not begun to speak HTTP/2 within the handshake time.
  kTooMany,         // One more than max_connections.
  kTooManyPerPeer,  // One more than max_connections_per_peer.
  kTooManyCalls,    // It opened and reset calls faster than they can be ended.
  kNoDescriptor,    // The process had no descriptor for it.
  kCount
};

// What is counted of connections. Registers itself once per registry. Thread-safe.
class ConnectionMetrics {
 public:
  explicit ConnectionMetrics(prometheus::Registry& registry);

  void OnAccepted() { accepted_.Increment(); }
  void OnAcceptError() { accept_errors_.Increment(); }
  // Of those accepted, also such as were refused at once.
  void OnClosed(CloseReason reason) { closed_[static_cast<size_t>(reason)]->Increment(); }
  void SetOpen(size_t open) { open_.Set(static_cast<double>(open)); }
  int64_t open() const { return static_cast<int64_t>(open_.Value()); }

 private:
  prometheus::Counter& accepted_;
  prometheus::Counter& accept_errors_;
  prometheus::Gauge& open_;
  std::array<prometheus::Counter*, static_cast<size_t>(CloseReason::kCount)> closed_{};
};

}  // namespace attendant
