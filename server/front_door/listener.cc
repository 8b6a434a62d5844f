#include "server/front_door/listener.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

// While the system has nothing for us, we look again so often.
constexpr auto kPause = std::chrono::milliseconds(50);
// Of one round, so that closed connections are noticed as well.
constexpr int kAcceptsPerRound = 256;

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));
}

int OpenSpare() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool IsExhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

int64_t DescriptorLimit() {
  rlimit limit{};
  constexpr int64_t kMany = int64_t{1} << 30;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kMany;
  return static_cast<int64_t>(limit.rlim_cur);
}

int64_t ConnectionsThatFit(int64_t wanted, int64_t descriptor_limit) {
  // Models being loaded, the log, metrics and admin connections, gRPC's own.
  constexpr int64_t kReserved = 128;
  constexpr int64_t kPerConnection = 2;
  const int64_t fit = (descriptor_limit - kReserved) / kPerConnection;
  return std::max<int64_t>(1, std::min(wanted, fit));
}

int64_t HttpConnectionsThatFit(int64_t wanted, int64_t descriptor_limit) {
  constexpr int64_t kPart = 4;
  return std::max<int64_t>(1, std::min(wanted, descriptor_limit / kPart));
}

Listener::Listener(const ListenerOptions& options, ConnectionMetrics& metrics, const Clock& clock)
    : options_(options),
      metrics_(metrics),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      spare_(OpenSpare()),
      connections_(options.limits, epoll_, metrics, clock) {}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const ListenerOptions& options,
                                                         ConnectionMetrics& metrics, const Clock& clock) {
  std::unique_ptr<Listener> listener(new Listener(options, metrics, clock));
  if (listener->epoll_ < 0 || listener->wakeup_ < 0) {
    return absl::UnavailableError(absl::StrCat("no descriptor to listen with: ", std::strerror(errno)));
  }
  ATTENDANT_RETURN_IF_ERROR(listener->Listen());
  return listener;
}

Listener::~Listener() {
  quit_ = true;
  if (thread_.joinable()) {
    Wake();
    thread_.join();
  }
  CloseSockets();
  for (const int fd : {epoll_, wakeup_, spare_}) {
    if (fd >= 0) close(fd);
  }
}

absl::Status Listener::Listen() {
  ATTENDANT_ASSIGN_OR_RETURN(const std::vector<SocketAddress> addresses, ResolveToListen(options_.address));
  // A port that the system chose for the first address may be another's at the second.
  const bool may_try_again = addresses.front().port() == 0 && addresses.size() > 1;
  absl::Status status;
  for (int tries = may_try_again ? 8 : 1; tries > 0; --tries) {
    CloseSockets();
    port_ = addresses.front().port();
    status = ListenOn(addresses);
    if (status.ok()) break;
  }
  return status;
}

absl::Status Listener::ListenOn(const std::vector<SocketAddress>& addresses) {
  for (const SocketAddress& address : addresses) ATTENDANT_RETURN_IF_ERROR(ListenOnOne(address));
  if (!sockets_.empty()) return absl::OkStatus();
  return absl::UnavailableError("this machine has none of the host's addresses");
}

absl::Status Listener::ListenOnOne(SocketAddress address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 && errno == EAFNOSUPPORT) return absl::OkStatus();  // A name's other address will do.
  if (fd < 0) return absl::UnavailableError(std::strerror(errno));
  SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  address.SetPort(port_);
  if (bind(fd, address.raw(), address.length) != 0 || listen(fd, options_.backlog) != 0) {
    const int error = errno;
    close(fd);
    if (error == EADDRNOTAVAIL) return absl::OkStatus();
    return absl::UnavailableError(std::strerror(error));
  }
  sockets_.push_back(fd);
  if (getsockname(fd, address.raw(), &address.length) == 0) port_ = address.port();
  return absl::OkStatus();
}

void Listener::CloseSockets() {
  for (const int fd : sockets_) close(fd);
  sockets_.clear();
}

void Listener::Start(OnConnection on_connection) {
  on_connection_ = std::move(on_connection);
  thread_ = std::thread([this] { Run(); });
}

void Listener::StopAccepting() {
  if (!thread_.joinable()) return;
  stop_accepting_ = true;
  Wake();
  has_stopped_.wait(false);
}

void Listener::CloseConnection(absl::string_view grpc_peer) {
  std::string key = ConnectionKeyOf(grpc_peer);
  if (key.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    to_close_.push_back(std::move(key));
  }
  Wake();
}

void Listener::CloseAsked() {
  std::vector<std::string> keys;
  {
    const std::lock_guard lock(mutex_);
    keys.swap(to_close_);
  }
  for (const std::string& key : keys) connections_.End(key, CloseReason::kTooManyCalls);
}

void Listener::Wake() {
  const uint64_t one = 1;
  if (write(wakeup_, &one, sizeof(one)) != sizeof(one)) return;  // It is awake already.
}

void Listener::Run() {
  pthread_setname_np(pthread_self(), "front-door");
  const auto watch = [this](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  };
  watch(wakeup_);
  for (const int fd : sockets_) watch(fd);
  constexpr int kForEver = -1;
  std::array<epoll_event, 128> events;
  while (!quit_) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kForEver);
    // First who left: their places are free for who comes.
    for (int i = 0; i < count; ++i) connections_.OnEvent(events[i].data.fd, events[i].events);
    CloseAsked();
    uint64_t ignored = 0;
    if (read(wakeup_, &ignored, sizeof(ignored)) > 0 && stop_accepting_ && !has_stopped_) {
      for (const int fd : sockets_) AcceptWaiting(fd, options_.backlog + kAcceptsPerRound);
      CloseSockets();
      has_stopped_ = true;
      has_stopped_.notify_all();
    }
    for (const int fd : sockets_) AcceptWaiting(fd, kAcceptsPerRound);
    // A socket that stays readable would not let epoll sleep.
    if (is_paused_) std::this_thread::sleep_for(kPause);
  }
}

void Listener::AcceptWaiting(int listening, int at_most) {
  is_paused_ = false;
  for (int i = 0; i < at_most && !is_paused_ && AcceptOne(listening); ++i) {
  }
}

// False if none waits, or none can be had now.
bool Listener::AcceptOne(int listening) {
  SocketAddress peer;
  peer.length = sizeof(peer.storage);
  const int fd = accept4(listening, peer.raw(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    Take(fd, peer);
    return true;
  }
  if (errno == EAGAIN) return false;
  if (IsExhaustion(errno)) {
    OnNoDescriptor(listening);
    return !is_paused_;
  }
  return true;  // That one failed: EINTR, ECONNABORTED, what its network says.
}

// Who waits shall hear at once that this server is of no use, rather than wait for it.
void Listener::OnNoDescriptor(int listening) {
  metrics_.OnAcceptError();
  if (spare_ >= 0) close(spare_);
  const int fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) {
    metrics_.OnAccepted();
    Refuse(fd, CloseReason::kNoDescriptor);
  }
  spare_ = OpenSpare();
  is_paused_ = fd < 0 || spare_ < 0;
}

void Listener::Take(int fd, const SocketAddress& peer) {
  metrics_.OnAccepted();
  const std::string key = PeerKey(peer);
  if (const auto reason = connections_.WhyRefused(key)) return Refuse(fd, *reason);
  if (options_.is_full && options_.is_full()) return Refuse(fd, CloseReason::kTooManyCalls);
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.unacknowledged_timeout).count();
  if (timeout > 0) SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(timeout));
  if (!connections_.Add(fd, peer)) {
    metrics_.OnAcceptError();
    return Refuse(fd, CloseReason::kNoDescriptor);
  }
  on_connection_(fd);
}

void Listener::Refuse(int fd, CloseReason reason) {
  metrics_.OnClosed(reason);
  close(fd);
}

}  // namespace attendant
