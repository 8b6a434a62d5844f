#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace attendant {

struct RawResponse {
  int status = 0;  // 0: no answer.
  std::string head;
  std::string body;
};

// A client's connection, byte by byte. Closed when it goes out of scope.
class RawHttpConnection {
 public:
  explicit RawHttpConnection(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawHttpConnection() { close(fd_); }
  RawHttpConnection(const RawHttpConnection&) = delete;
  RawHttpConnection& operator=(const RawHttpConnection&) = delete;

  bool is_connected() const { return is_connected_; }
  void CloseSending() const { shutdown(fd_, SHUT_WR); }

  // False if the other side has closed.
  bool Send(absl::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // One answer with a Content-Length.
  RawResponse Receive(int timeout_ms = 30'000) {
    RawResponse response;
    size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill(timeout_ms)) return response;
    }
    response.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    const std::vector<std::string> words = absl::StrSplit(response.head, absl::MaxSplits(' ', 2));
    size_t length = 0;
    if (!absl::SimpleAtoi(words[1], &response.status) ||
        !absl::SimpleAtoi(Header(response, "Content-Length"), &length)) {
      return {};
    }
    while (buffer_.size() < length) {
      if (!Fill(timeout_ms)) return {};
    }
    response.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return response;
  }

  // Whether the other side closes within so long.
  bool IsClosedWithin(int timeout_ms) {
    while (Fill(timeout_ms)) {
    }
    return is_closed_;
  }

  static std::string Header(const RawResponse& response, const std::string& name) {
    for (const absl::string_view line : absl::StrSplit(response.head, "\r\n")) {
      const std::pair<std::string, std::string> halves = absl::StrSplit(line, absl::MaxSplits(": ", 1));
      if (absl::EqualsIgnoreCase(halves.first, name)) return halves.second;
    }
    return "";
  }

 private:
  bool Fill(int timeout_ms) {
    pollfd event{fd_, POLLIN, 0};
    if (poll(&event, 1, timeout_ms) <= 0) return false;
    char bytes[65536];
    const ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
    is_closed_ = got <= 0;
    if (got > 0) buffer_.append(bytes, static_cast<size_t>(got));
    return got > 0;
  }

  const int fd_;
  bool is_connected_ = false;
  bool is_closed_ = false;
  std::string buffer_;
};

// headers: lines with their ends.
inline std::string HttpText(const std::string& method, const std::string& path, const std::string& body = "",
                            const std::string& headers = "") {
  return absl::StrCat(method, " ", path, " HTTP/1.1\r\nHost: localhost\r\n", headers,
                      "Content-Length: ", body.size(), "\r\n\r\n", body);
}

inline RawResponse AskHttp(int port, const std::string& method, const std::string& path,
                           const std::string& body = "", const std::string& headers = "") {
  RawHttpConnection connection(port);
  connection.Send(HttpText(method, path, body, headers));
  return connection.Receive();
}

}  // namespace attendant
