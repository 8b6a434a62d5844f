#include "server/front_door/connection_metrics.h"

#include <string>

namespace attendant {
namespace {

constexpr std::array<const char*, static_cast<size_t>(CloseReason::kCount)> kCloseReasonLabels = {
    "peer",           "server",       "reset", "handshake", "too_many", "too_many_per_peer",
    "too_many_calls", "no_descriptor"};

prometheus::Counter& AddOneCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

ConnectionMetrics::ConnectionMetrics(prometheus::Registry& registry)
    : accepted_(AddOneCounter(registry, "attendant_connections_total",
                              "Connections accepted, also those refused at once")),
      accept_errors_(AddOneCounter(registry, "attendant_accept_errors_total",
                                   "Times that the system had no descriptor or memory for a connection")),
      open_(prometheus::BuildGauge()
                .Name("attendant_connections_open")
                .Help("Connections that are open")
                .Register(registry)
                .Add({})) {
  auto& closed = prometheus::BuildCounter()
                     .Name("attendant_connections_closed_total")
                     .Help("Connections that ended, by what ended them")
                     .Register(registry);
  for (size_t i = 0; i < closed_.size(); ++i) {
    closed_[i] = &closed.Add({{"reason", std::string(kCloseReasonLabels[i])}});
  }
}

}  // namespace attendant
