#include "server/http/http_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/http/http_status.h"

namespace attendant {
namespace {

// Of a connection, for what it reads and writes; request line and headers must fit it.
constexpr size_t kConnectionBytes = 32 * 1024;
constexpr Duration kWatchInterval = std::chrono::milliseconds(100);
constexpr const char* kRetryAfter = "1";  // Seconds: bodies come and go within one.

struct AddressDeleter {
  void operator()(addrinfo* address) const { freeaddrinfo(address); }
};

absl::StatusOr<std::unique_ptr<addrinfo, AddressDeleter>> Resolve(absl::string_view host, int port) {
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(std::string(host).c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (error != 0) return absl::UnavailableError(absl::StrCat(host, ": ", gai_strerror(error)));
  return std::unique_ptr<addrinfo, AddressDeleter>(found);
}

// The other side has closed, or the connection is broken.
bool IsGone(int fd) {
  char byte = 0;
  const ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

std::string Header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const Options& options, Handler handler)
      : options_(options), handler_(std::move(handler)), send_timeout_(options_.send_timeout) {}

  absl::Status Start() {
    auto address = Resolve(options_.host, options_.port);
    if (!address.ok()) return address.status();
    const bool is_ipv6 = (*address)->ai_family == AF_INET6;
    const unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (is_ipv6 ? MHD_USE_IPv6 : MHD_NO_FLAG);
    daemon_ = MHD_start_daemon(
        flags, 0, nullptr, nullptr, &OnAccess, this, MHD_OPTION_SOCK_ADDR, (*address)->ai_addr,
        MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(options_.max_connections),
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, static_cast<unsigned>(options_.max_connections_per_peer),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes, MHD_OPTION_NOTIFY_CONNECTION, &OnConnection,
        this, MHD_OPTION_NOTIFY_COMPLETED, &OnCompleted, this, MHD_OPTION_END);
    if (daemon_ == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options_.host, ":", options_.port, " for HTTP"));
    }
    watch_ = std::thread([this] { Watch(); });
    return absl::OkStatus();
  }

  ~Impl() {
    if (daemon_ == nullptr) return;
    StopAccepting();
    {
      std::unique_lock lock(mutex_);
      // libmicrohttpd aborts where some are suspended.
      changed_.wait(lock, [this] { return num_working_ + num_resuming_ == 0; });
    }
    WaitIdle(std::chrono::seconds(1));
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      changed_.notify_all();
    }
    watch_.join();
    MHD_stop_daemon(daemon_);
  }

  int port() const { return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port; }

  void StopAccepting() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(is_closed_, true)) return;
    }
    const MHD_socket listening = MHD_quiesce_daemon(daemon_);
    if (listening != MHD_INVALID_SOCKET) close(listening);
  }

  bool WaitIdle(Duration timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return num_working_ + num_sending_ == 0; });
  }

  void Shorten(Duration send_timeout) {
    const std::lock_guard lock(mutex_);
    send_timeout_ = std::min(send_timeout_, send_timeout);
  }

 private:
  enum class Phase { kReceiving, kWorking, kSending };
  enum class Refusal { kNone, kTooLong, kNoRoom };

  struct Connection {
    int fd = -1;
    Phase phase = Phase::kReceiving;
    TimePoint since;
    std::shared_ptr<HttpExchange> exchange;  // While it is in work.
  };

  // One request; libmicrohttpd's until OnCompleted.
  struct Request {
    Connection* connection = nullptr;
    std::string body;
    Refusal refusal = Refusal::kNone;
    bool is_given_to_handler = false;
    size_t num_counted = 0;  // Of the body, in body_bytes_. Guarded by mutex_, as is ...
    std::optional<HttpResponse> response;
  };

  static void OnConnection(void* self, MHD_Connection* connection, void** context,
                           MHD_ConnectionNotificationCode code) {
    static_cast<Impl*>(self)->NoteConnection(connection, context, code);
  }
  static void OnCompleted(void* self, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
    const std::unique_ptr<Request> request(static_cast<Request*>(*context));
    *context = nullptr;
    if (request != nullptr) static_cast<Impl*>(self)->NoteCompleted(*request);
  }
  static MHD_Result OnAccess(void* self, MHD_Connection* connection, const char* path, const char* method,
                             const char*, const char* data, size_t* size, void** context) {
    auto** request = reinterpret_cast<Request**>(context);
    return static_cast<Impl*>(self)->Access(connection, {path, method, data, size}, *request);
  }

  void NoteConnection(MHD_Connection* handle, void** context, MHD_ConnectionNotificationCode code) {
    const std::lock_guard lock(mutex_);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      Connection& connection = connections_.emplace_back();
      connection.fd = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
      connection.since = Clock::Real().Now();
      *context = &connection;
    } else {
      connections_.remove_if([&](const Connection& connection) { return &connection == *context; });
    }
  }

  struct Arrival {
    const char* path;
    const char* method;
    const char* data;
    size_t* size;
  };

  // Called with the headers, with each piece of the body, at its end, and when a suspended one goes on.
  MHD_Result Access(MHD_Connection* handle, const Arrival& arrival, Request*& request) {
    if (request == nullptr) {
      request = new Request;
      request->connection = static_cast<Connection*>(
          MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
      request->refusal = RefusalOf(handle);
      return request->refusal == Refusal::kNone ? MHD_YES : Refuse(handle, arrival, *request);
    }
    if (*arrival.size > 0) {
      Append(*request, {arrival.data, *arrival.size});
      *arrival.size = 0;
      return MHD_YES;
    }
    if (request->refusal != Refusal::kNone) return Refuse(handle, arrival, *request);
    if (!request->is_given_to_handler) return GiveToHandler(handle, arrival, *request);
    std::optional<HttpResponse> response;
    {
      const std::lock_guard lock(mutex_);
      response = std::exchange(request->response, std::nullopt);
    }
    return response.has_value() ? Send(handle, *request, *std::move(response)) : MHD_YES;
  }

  // By its headers.
  Refusal RefusalOf(MHD_Connection* handle) {
    const std::string length_text = Header(handle, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    const bool says_length = absl::SimpleAtoi(length_text, &length);
    if (says_length && length > options_.max_body_bytes) return Refusal::kTooLong;
    const bool has_body = length > 0 || !Header(handle, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty();
    if (!has_body) return Refusal::kNone;
    if (options_.is_memory_high && options_.is_memory_high()) return Refusal::kNoRoom;
    const std::lock_guard lock(mutex_);
    return body_bytes_ + length > options_.max_bytes_of_all_bodies ? Refusal::kNoRoom : Refusal::kNone;
  }

  // What comes after a refusal is read and let go, until receive_timeout: libmicrohttpd answers no earlier.
  void Append(Request& request, absl::string_view data) {
    if (request.refusal != Refusal::kNone) return;
    const std::lock_guard lock(mutex_);
    if (request.body.size() + data.size() > options_.max_body_bytes) {
      request.refusal = Refusal::kTooLong;
    } else if (body_bytes_ + data.size() > options_.max_bytes_of_all_bodies) {
      request.refusal = Refusal::kNoRoom;
    } else {
      request.body.append(data.data(), data.size());
      body_bytes_ += data.size();
      request.num_counted += data.size();
      return;
    }
    request.body = std::string();
    ForgetBodyLocked(request);
  }

  void ForgetBodyLocked(Request& request) { body_bytes_ -= std::exchange(request.num_counted, 0); }

  MHD_Result Refuse(MHD_Connection* handle, const Arrival& arrival, Request& request) {
    const ApiStyle style = StyleOf(arrival.path);
    if (request.refusal == Refusal::kTooLong) {
      return Send(
          handle, request,
          ErrorResponse(style, 413, absl::StrCat("the body is over ", options_.max_body_bytes, " bytes")));
    }
    HttpResponse response = ErrorResponse(style, 503, "the server has no memory for the body now; try again");
    response.retry_after = kRetryAfter;
    return Send(handle, request, std::move(response));
  }

  MHD_Result GiveToHandler(MHD_Connection* handle, const Arrival& arrival, Request& request) {
    request.is_given_to_handler = true;
    HttpRequest read{arrival.method,
                     arrival.path,
                     Header(handle, MHD_HTTP_HEADER_CONTENT_TYPE),
                     Header(handle, MHD_HTTP_HEADER_AUTHORIZATION),
                     Header(handle, "X-Request-Timeout-Ms"),
                     std::move(request.body)};
    auto exchange = std::make_shared<HttpExchange>(std::move(read), [this, handle,
                                                                     &request](HttpResponse response) {
      {
        const std::lock_guard lock(mutex_);
        request.response = std::move(response);
        ForgetBodyLocked(request);
        ++num_resuming_;
        MoveOnLocked(*request.connection, Phase::kSending);
      }
      MHD_resume_connection(handle);  // Without the lock: it has its own. The request may be gone after it.
      const std::lock_guard lock(mutex_);
      --num_resuming_;
      changed_.notify_all();
    });
    {
      const std::lock_guard lock(mutex_);
      MoveOnLocked(*request.connection, Phase::kWorking);
      request.connection->exchange = exchange;
    }
    MHD_suspend_connection(handle);  // First: the answer resumes it.
    handler_(std::move(exchange));
    return MHD_YES;
  }

  MHD_Result Send(MHD_Connection* handle, Request& request, HttpResponse response) {
    bool is_last = request.refusal == Refusal::kNoRoom;
    {
      const std::lock_guard lock(mutex_);
      MoveOnLocked(*request.connection, Phase::kSending);
      is_last = is_last || is_closed_;
    }
    MHD_Response* message =
        MHD_create_response_from_buffer(response.body.size(), response.body.data(), MHD_RESPMEM_MUST_COPY);
    if (message == nullptr) return MHD_NO;
    MHD_add_response_header(message, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (!response.allow.empty())
      MHD_add_response_header(message, MHD_HTTP_HEADER_ALLOW, response.allow.c_str());
    if (!response.retry_after.empty())
      MHD_add_response_header(message, MHD_HTTP_HEADER_RETRY_AFTER, response.retry_after.c_str());
    if (is_last) MHD_add_response_header(message, MHD_HTTP_HEADER_CONNECTION, "close");
    const MHD_Result result = MHD_queue_response(handle, static_cast<unsigned>(response.status), message);
    MHD_destroy_response(message);
    return result;
  }

  void NoteCompleted(Request& request) {
    const std::lock_guard lock(mutex_);
    ForgetBodyLocked(request);
    MoveOnLocked(*request.connection, Phase::kReceiving);
  }

  void MoveOnLocked(Connection& connection, Phase phase) {
    if (connection.phase == phase) return;
    const auto count = [this](Phase of, int by) {
      if (of == Phase::kWorking) num_working_ += by;
      if (of == Phase::kSending) num_sending_ += by;
    };
    count(connection.phase, -1);
    count(phase, 1);
    connection.phase = phase;
    connection.since = Clock::Real().Now();
    if (phase != Phase::kWorking) connection.exchange = nullptr;
    changed_.notify_all();
  }

  // Ends the connections that have had their time, and tells of clients that have gone.
  void Watch() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kWatchInterval, [this] { return is_stopping_; })) {
      std::vector<std::shared_ptr<HttpExchange>> gone;
      const TimePoint now = Clock::Real().Now();
      for (Connection& connection : connections_) {
        if (connection.phase == Phase::kWorking) {
          if (connection.exchange != nullptr && IsGone(connection.fd)) gone.push_back(connection.exchange);
          continue;
        }
        const Duration limit =
            connection.phase == Phase::kReceiving ? options_.receive_timeout : send_timeout_;
        // Its descriptor is open: NoteConnection comes before it is closed.
        if (now - connection.since >= limit) shutdown(connection.fd, SHUT_RDWR);
      }
      lock.unlock();
      for (const auto& exchange : gone) exchange->NoteGone();
      gone.clear();
      lock.lock();
    }
  }

  const Options options_;
  const Handler handler_;
  MHD_Daemon* daemon_ = nullptr;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable changed_;
  Duration send_timeout_;
  std::list<Connection> connections_;  // Their addresses stay.
  size_t body_bytes_ = 0;              // Of all requests not yet answered.
  int64_t num_working_ = 0;
  int64_t num_sending_ = 0;
  int64_t num_resuming_ = 0;  // Answered, and not yet handed back to libmicrohttpd.
  bool is_closed_ = false;
  bool is_stopping_ = false;
  std::thread watch_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options, Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  if (const absl::Status status = impl->Start(); !status.ok()) return status;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

int HttpServer::port() const {
  return impl_->port();
}
void HttpServer::StopAccepting() {
  impl_->StopAccepting();
}
bool HttpServer::WaitIdle(Duration timeout) {
  return impl_->WaitIdle(timeout);
}
void HttpServer::Shorten(Duration send_timeout) {
  impl_->Shorten(send_timeout);
}

}  // namespace attendant
