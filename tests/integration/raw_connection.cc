#include "tests/integration/raw_connection.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

namespace attendant {

RawHttp2Connection::RawHttp2Connection(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return;
  close(fd_);
  fd_ = -1;
}

RawHttp2Connection::~RawHttp2Connection() {
  if (fd_ >= 0) close(fd_);
}

bool RawHttp2Connection::SayHello() {
  return Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, ""));
}

bool RawHttp2Connection::Send(const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<size_t>(count);
  }
  return true;
}

bool RawHttp2Connection::IsClosedWithin(int milliseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd wait{fd_, POLLIN, 0};
    if (left <= 0 || poll(&wait, 1, static_cast<int>(left)) <= 0) return false;
    char buffer[4096];
    if (recv(fd_, buffer, sizeof(buffer), 0) <= 0) return true;
  }
}

std::string RawHttp2Connection::Drain() {
  std::string result;
  char buffer[4096];
  for (ssize_t got = 0; (got = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0;)
    result.append(buffer, static_cast<size_t>(got));
  return result;
}

std::string RawHttp2Connection::Frame(FrameType type, uint8_t flags, uint32_t stream,
                                      const std::string& payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame.push_back(static_cast<char>(payload.size() >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  return frame + payload;
}

std::string RawHttp2Connection::Header(const std::string& name, const std::string& value) {
  std::string result(1, '\0');
  for (const std::string& text : {name, value}) {
    constexpr size_t kOneByte = 127;
    if (text.size() < kOneByte) {
      result.push_back(static_cast<char>(text.size()));
    } else {
      result.push_back(static_cast<char>(kOneByte));
      size_t rest = text.size() - kOneByte;
      for (; rest >= 128; rest >>= 7) result.push_back(static_cast<char>(rest | 128));
      result.push_back(static_cast<char>(rest));
    }
    result += text;
  }
  return result;
}

std::string RawHttp2Connection::CallHeaderBlock(const std::string& path) {
  return Header(":method", "POST") + Header(":scheme", "http") + Header(":path", path) +
         Header(":authority", "localhost") + Header("te", "trailers") +
         Header("content-type", "application/grpc");
}

std::string RawHttp2Connection::CallHeaders(uint32_t stream, const std::string& path, uint8_t flags) {
  return Frame(kHeaders, flags, stream, CallHeaderBlock(path));
}

std::string RawHttp2Connection::Reset(uint32_t stream) {
  constexpr char kCancel[] = {0, 0, 0, 8};
  return Frame(kRstStream, 0, stream, std::string(kCancel, sizeof(kCancel)));
}

}  // namespace attendant
