#pragma once

#include <cstdint>
#include <string>

namespace attendant {

// A client that writes HTTP/2 frames as it likes, which no gRPC client would. Blocking, over loopback.
class RawHttp2Connection {
 public:
  explicit RawHttp2Connection(int port);
  ~RawHttp2Connection();
  RawHttp2Connection(const RawHttp2Connection&) = delete;
  RawHttp2Connection& operator=(const RawHttp2Connection&) = delete;

  bool is_connected() const { return fd_ >= 0; }
  // The preface and empty SETTINGS.
  bool SayHello();
  // False once the server has closed the connection, or takes nothing for ten seconds.
  bool Send(const std::string& bytes);
  // Whether the server closes the connection within so many milliseconds; reads what it says until then.
  bool IsClosedWithin(int milliseconds);
  // What has come and was not read, at most so many bytes.
  std::string Drain();

  enum FrameType : uint8_t {
    kData = 0,
    kHeaders = 1,
    kRstStream = 3,
    kSettings = 4,
    kPing = 6,
    kContinuation = 9
  };
  static constexpr uint8_t kEndStream = 1, kEndHeaders = 4;
  static std::string Frame(FrameType type, uint8_t flags, uint32_t stream, const std::string& payload);
  // HEADERS that begin a call, whole.
  static std::string CallHeaders(uint32_t stream, const std::string& path, uint8_t flags = kEndHeaders);
  static std::string Reset(uint32_t stream);
  // A header as literal without indexing: HPACK's simplest.
  static std::string Header(const std::string& name, const std::string& value);
  static std::string CallHeaderBlock(const std::string& path);

 private:
  int fd_ = -1;
};

}  // namespace attendant
