#include "server/port_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"

namespace attendant {
namespace {

int LocalPort(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return -1;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return -1;
}

bool IsListening(int fd) {
  int is_listening = 0;
  socklen_t length = sizeof(is_listening);
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) == 0 && is_listening != 0;
}

// A socket that no longer listens is not connected either.
bool IsConnected(int fd) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0;
}

std::vector<int> SocketsOf(int port) {
  std::vector<int> sockets;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    int fd = -1;
    if (absl::SimpleAtoi(entry->path().filename().string(), &fd) && LocalPort(fd) == port)
      sockets.push_back(fd);
  }
  return sockets;
}

}  // namespace

void StopListening(int port) {
  for (const int fd : SocketsOf(port)) {
    if (IsListening(fd)) shutdown(fd, SHUT_RDWR);
  }
}

int CountConnections(int port) {
  int count = 0;
  for (const int fd : SocketsOf(port)) {
    if (IsConnected(fd)) ++count;
  }
  return count;
}

}  // namespace attendant
