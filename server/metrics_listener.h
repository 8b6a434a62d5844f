#pragma once

#include <prometheus/exposer.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace attendant {

// prometheus-cpp's HTTP listener, but that it stops at once: civetweb's thread looks only every two seconds
// whether it shall end, unless somebody connects. Thread-safe, but for its end.
class MetricsListener {
 public:
  // address: HOST:PORT; port 0: the system chooses. Errors: UNAVAILABLE it cannot listen there.
  static absl::StatusOr<std::unique_ptr<MetricsListener>> Open(const std::string& address);
  ~MetricsListener();
  MetricsListener(const MetricsListener&) = delete;
  MetricsListener& operator=(const MetricsListener&) = delete;

  // To register what is scraped, and who may.
  prometheus::Exposer& exposer() { return *exposer_; }
  int port() const { return port_; }

 private:
  MetricsListener(std::unique_ptr<prometheus::Exposer> exposer, std::string host);

  std::unique_ptr<prometheus::Exposer> exposer_;
  const std::string host_;
  const int port_;
};

}  // namespace attendant
