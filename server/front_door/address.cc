#include "server/front_door/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace attendant {
namespace {

const sockaddr_in& AsIpv4(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_in&>(address.storage);
}
const sockaddr_in6& AsIpv6(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_in6&>(address.storage);
}

bool IsSame(const SocketAddress& a, const SocketAddress& b) {
  return a.length == b.length && std::memcmp(&a.storage, &b.storage, a.length) == 0;
}

void AddOnce(const addrinfo& found, std::vector<SocketAddress>& addresses) {
  SocketAddress address;
  if (found.ai_family != AF_INET && found.ai_family != AF_INET6) return;
  std::memcpy(&address.storage, found.ai_addr, found.ai_addrlen);
  address.length = found.ai_addrlen;
  for (const SocketAddress& other : addresses) {
    if (IsSame(address, other)) return;
  }
  addresses.push_back(address);
}

}  // namespace

int SocketAddress::port() const {
  return ntohs(family() == AF_INET6 ? AsIpv6(*this).sin6_port : AsIpv4(*this).sin_port);
}

void SocketAddress::SetPort(int port) {
  const auto bytes = htons(static_cast<uint16_t>(port));
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(storage).sin6_port = bytes;
  } else {
    reinterpret_cast<sockaddr_in&>(storage).sin_port = bytes;
  }
}

absl::StatusOr<std::vector<SocketAddress>> ResolveToListen(absl::string_view address) {
  const size_t colon = address.rfind(':');
  int port = -1;
  if (colon == absl::string_view::npos || colon == 0 || !absl::SimpleAtoi(address.substr(colon + 1), &port) ||
      port < 0 || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("\"", address, "\" is not HOST:PORT"));
  }
  std::string host(address.substr(0, colon));
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int code = getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  // That name is loopback, whatever the system's files say or lack (RFC 6761, section 6.3).
  if (code != 0 && absl::EqualsIgnoreCase(host, "localhost")) {
    code = getaddrinfo("127.0.0.1", absl::StrCat(port).c_str(), &hints, &found);
  }
  if (code != 0) {
    return absl::UnavailableError(absl::StrCat("the host ", host, " is not known: ", gai_strerror(code)));
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) AddOnce(*one, addresses);
  freeaddrinfo(found);
  if (addresses.empty()) return absl::UnavailableError(absl::StrCat("the host ", host, " has no address"));
  return addresses;
}

std::string PeerKey(const SocketAddress& peer) {
  if (peer.family() != AF_INET6) {
    return std::string(reinterpret_cast<const char*>(&AsIpv4(peer).sin_addr), sizeof(in_addr));
  }
  const in6_addr& host = AsIpv6(peer).sin6_addr;
  const auto* bytes = reinterpret_cast<const char*>(&host);
  constexpr size_t kMappedAt = 12, kSubscriberBytes = 8;
  if (IN6_IS_ADDR_V4MAPPED(&host)) return std::string(bytes + kMappedAt, sizeof(in_addr));
  if (IN6_IS_ADDR_LOOPBACK(&host)) return std::string(bytes, sizeof(host));
  return std::string(bytes, kSubscriberBytes);
}

std::string ConnectionKey(const SocketAddress& peer) {
  const int port = peer.port();
  std::string host(reinterpret_cast<const char*>(&AsIpv4(peer).sin_addr), sizeof(in_addr));
  if (peer.family() == AF_INET6) {
    const auto* bytes = reinterpret_cast<const char*>(&AsIpv6(peer).sin6_addr);
    constexpr size_t kMappedAt = 12;
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&AsIpv6(peer).sin6_addr);
    host = is_mapped ? std::string(bytes + kMappedAt, sizeof(in_addr)) : std::string(bytes, sizeof(in6_addr));
  }
  return absl::StrCat(host, ":", port);
}

std::string ConnectionKeyOf(absl::string_view grpc_peer) {
  SocketAddress address;
  const bool is_ipv6 = absl::ConsumePrefix(&grpc_peer, "ipv6:");
  if (!is_ipv6 && !absl::ConsumePrefix(&grpc_peer, "ipv4:")) return "";
  const size_t colon = grpc_peer.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(grpc_peer.substr(colon + 1), &port)) return "";
  std::string host(grpc_peer.substr(0, colon));
  host = absl::StrReplaceAll(host, {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}});
  address.storage.ss_family = is_ipv6 ? AF_INET6 : AF_INET;
  void* const bytes = is_ipv6
                          ? static_cast<void*>(&reinterpret_cast<sockaddr_in6&>(address.storage).sin6_addr)
                          : static_cast<void*>(&reinterpret_cast<sockaddr_in&>(address.storage).sin_addr);
  if (inet_pton(address.family(), host.c_str(), bytes) != 1) return "";
  address.SetPort(port);
  return ConnectionKey(address);
}

}  // namespace attendant
