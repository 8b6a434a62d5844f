#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace attendant {

// An IPv4 or IPv6 address with its port.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  int port() const;
  void SetPort(int port);
};

// The addresses to listen on for HOST:PORT: a number, "[::1]", "[::]" (IPv4 as well), or a name, which may
// have several. Asks the system's resolver. Errors: INVALID_ARGUMENT not HOST:PORT; UNAVAILABLE an unknown
// name.
absl::StatusOr<std::vector<SocketAddress>> ResolveToListen(absl::string_view address);

// The host alone, as bytes to compare: IPv4 in IPv6's clothes is IPv4, and of IPv6 the /64 that one
// subscriber is given.
std::string PeerKey(const SocketAddress& peer);

// Host and port, as bytes to compare: one connection of many.
std::string ConnectionKey(const SocketAddress& peer);
// The same of a peer as gRPC names it, "ipv4:1.2.3.4:5" or "ipv6:%5B::1%5D:5"; "" of anything else.
std::string ConnectionKeyOf(absl::string_view grpc_peer);

}  // namespace attendant
