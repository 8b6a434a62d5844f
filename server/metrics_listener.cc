#include "server/metrics_listener.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

void ConnectOnce(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found) != 0) return;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0) {
    (void)connect(fd, found->ai_addr, found->ai_addrlen);
    close(fd);
  }
  freeaddrinfo(found);
}

// "[::1]:9500" -> "::1".
std::string HostOf(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (!host.empty() && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsListener>> MetricsListener::Open(const std::string& address) {
  try {
    return std::unique_ptr<MetricsListener>(
        new MetricsListener(std::make_unique<prometheus::Exposer>(address), HostOf(address)));
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, " for metrics (", error.what(),
                                               "); is the port taken? see --metrics"));
  }
}

MetricsListener::MetricsListener(std::unique_ptr<prometheus::Exposer> exposer, std::string host)
    : exposer_(std::move(exposer)), host_(std::move(host)), port_(exposer_->GetListeningPorts().front()) {}

MetricsListener::~MetricsListener() {
  std::atomic<bool> is_gone{false};
  std::thread caller([this, &is_gone] {
    while (!is_gone) {
      ConnectOnce(host_, port_);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  exposer_.reset();
  is_gone = true;
  caller.join();
}

}  // namespace attendant
