#include "server/front_door/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <prometheus/registry.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Real sockets of this process on both sides; the test plays gRPC's part.
class ListenerTest : public testing::Test {
 protected:
  ~ListenerTest() override {
    listener_ = nullptr;
    for (const int fd : clients_) close(fd);
    for (const int fd : served_) close(fd);
  }

  void Open(const std::string& address = "127.0.0.1:0") {
    options_.address = address;
    auto listener = Listener::Open(options_, metrics_, Clock::Real());
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  void Start() {
    listener_->Start([this](int fd) {
      const std::lock_guard lock(mutex_);
      served_.push_back(fd);
    });
  }
  int Connect(const std::string& host = "127.0.0.1") {
    const int fd = NewSocket(host);
    clients_.push_back(fd);
    EXPECT_TRUE(ConnectTo(fd, host));
    return fd;
  }
  static int NewSocket(const std::string& host = "127.0.0.1") {
    return socket(ResolveToListen(host + ":0")->front().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  }
  bool ConnectTo(int fd, const std::string& host = "127.0.0.1") const {
    SocketAddress address = ResolveToListen(host + ":0")->front();
    address.SetPort(listener_->port());
    return connect(fd, address.raw(), address.length) == 0;
  }
  // The server has closed this client's connection.
  static bool IsClosed(int fd) {
    pollfd wait{fd, POLLIN, 0};
    char byte = 0;
    return poll(&wait, 1, 5000) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
  }
  size_t num_served() {
    const std::lock_guard lock(mutex_);
    return served_.size();
  }
  // As gRPC does.
  void ShutDownAndClose(size_t index) {
    const std::lock_guard lock(mutex_);
    shutdown(served_[index], SHUT_RDWR);
    close(served_[index]);
    served_.erase(served_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  double Metric(const std::string& name, const std::string& reason = "") const {
    for (const auto& family : registry_.Collect()) {
      if (family.name != name) continue;
      for (const auto& metric : family.metric) {
        if (reason.empty() || metric.label.front().value == reason) {
          return metric.counter.value + metric.gauge.value;
        }
      }
    }
    return -1;
  }
  double Closed(const std::string& reason) const {
    return Metric("attendant_connections_closed_total", reason);
  }
  double NumOpen() const { return Metric("attendant_connections_open"); }
  template <typename Condition>
  static bool Becomes(Condition is_true) {
    for (int i = 0; i < 2500; ++i) {
      if (is_true()) return true;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  }

  prometheus::Registry registry_;
  ConnectionMetrics metrics_{registry_};
  ListenerOptions options_{.address = "", .limits = {.max_connections = 1000}};
  std::mutex mutex_;
  std::vector<int> served_;  // Guarded by mutex_.
  std::vector<int> clients_;
  std::unique_ptr<Listener> listener_;
};

TEST(ConnectionsThatFitTest, TakeTwoDescriptorsEach) {
  EXPECT_EQ(ConnectionsThatFit(100, 1000), 100);
  EXPECT_EQ(ConnectionsThatFit(100, 328), 100);
  EXPECT_EQ(ConnectionsThatFit(100, 327), 99);
  EXPECT_EQ(ConnectionsThatFit(100, 10), 1);
  EXPECT_GT(DescriptorLimit(), 0);
}

TEST(ConnectionsThatFitTest, OfHttpTakeAQuarterOfTheDescriptors) {
  EXPECT_EQ(HttpConnectionsThatFit(100, 1000), 100);
  EXPECT_EQ(HttpConnectionsThatFit(100, 400), 100);
  EXPECT_EQ(HttpConnectionsThatFit(100, 399), 99);
  EXPECT_EQ(HttpConnectionsThatFit(100, 3), 1);
}

TEST_F(ListenerTest, HandsConnectionsOn) {
  Open();
  EXPECT_GT(listener_->port(), 0);
  Start();
  const int client = Connect();
  ASSERT_TRUE(Becomes([&] { return num_served() == 1; }));
  EXPECT_EQ(send(client, "x", 1, 0), 1);
  char byte = 0;
  EXPECT_TRUE(Becomes([&] { return recv(served_[0], &byte, 1, 0) == 1; }));
  EXPECT_EQ(byte, 'x');
  EXPECT_NE(fcntl(served_[0], F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(served_[0], F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(NumOpen(), 1);
  EXPECT_EQ(Metric("attendant_connections_total"), 1);
}

TEST_F(ListenerTest, ListensOnEveryAddressOfAName) {
  Open("localhost:0");
  Start();
  const auto addresses = ResolveToListen("localhost:0");
  size_t expected = 0;
  for (const SocketAddress& address : *addresses) {
    const int fd = NewSocket(address.family() == AF_INET ? "127.0.0.1" : "[::1]");
    if (fd < 0) continue;
    clients_.push_back(fd);
    if (ConnectTo(fd, address.family() == AF_INET ? "127.0.0.1" : "[::1]")) ++expected;
  }
  EXPECT_GE(expected, 1u);
  EXPECT_TRUE(Becomes([&] { return num_served() == expected; }));
}

TEST_F(ListenerTest, TakenPortIsAnError) {
  Open();
  ListenerOptions same = options_;
  same.address = "127.0.0.1:" + std::to_string(listener_->port());
  EXPECT_EQ(Listener::Open(same, metrics_, Clock::Real()).status().code(), absl::StatusCode::kUnavailable);
  same.address = "192.0.2.1:0";  // Nobody's.
  EXPECT_EQ(Listener::Open(same, metrics_, Clock::Real()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ListenerTest, PortCanBeTakenAgainAtOnce) {
  Open();
  Start();
  Connect();
  ASSERT_TRUE(Becomes([&] { return num_served() == 1; }));
  const std::string address = "127.0.0.1:" + std::to_string(listener_->port());
  ShutDownAndClose(0);
  listener_ = nullptr;
  Open(address);
}

TEST_F(ListenerTest, OneMoreThanTheLimitIsClosedAtOnce) {
  options_.limits.max_connections = 3;
  Open();
  Start();
  for (int i = 0; i < 3; ++i) Connect();
  ASSERT_TRUE(Becomes([&] { return num_served() == 3; }));
  EXPECT_TRUE(IsClosed(Connect()));
  EXPECT_EQ(num_served(), 3u);
  EXPECT_TRUE(Becomes([&] { return Closed("too_many") == 1; }));
  ShutDownAndClose(0);
  EXPECT_TRUE(Becomes([&] { return NumOpen() == 2; }));
  Connect();
  EXPECT_TRUE(Becomes([&] { return num_served() == 3; }));
}

TEST_F(ListenerTest, OneMoreThanThePeersLimitIsClosedAtOnce) {
  options_.limits.max_per_peer = 2;
  Open();
  Start();
  for (int i = 0; i < 2; ++i) Connect();
  ASSERT_TRUE(Becomes([&] { return num_served() == 2; }));
  EXPECT_TRUE(IsClosed(Connect()));
  EXPECT_TRUE(Becomes([&] { return Closed("too_many_per_peer") == 1; }));
  const int other = NewSocket();  // Another host of the loopback net.
  clients_.push_back(other);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7f000002);
  ASSERT_EQ(bind(other, reinterpret_cast<sockaddr*>(&from), sizeof(from)), 0);
  EXPECT_TRUE(ConnectTo(other));
  EXPECT_TRUE(Becomes([&] { return num_served() == 3; }));
  ShutDownAndClose(0);
  EXPECT_TRUE(Becomes([&] { return NumOpen() == 2; }));
  Connect();
  EXPECT_TRUE(Becomes([&] { return num_served() == 3; }));
}

TEST_F(ListenerTest, StoppingHandsOnWhoeverWaits) {
  Open();
  constexpr size_t kWaiting = 200;
  for (size_t i = 0; i < kWaiting; ++i) Connect();  // Nobody accepts yet.
  const int port = listener_->port();
  Start();
  listener_->StopAccepting();
  EXPECT_EQ(num_served(), kWaiting);
  const int late = NewSocket();
  clients_.push_back(late);
  EXPECT_FALSE(ConnectTo(late)) << port;
  listener_->StopAccepting();
  EXPECT_EQ(NumOpen(), kWaiting);
  ShutDownAndClose(0);  // Still watched.
  EXPECT_TRUE(Becomes([&] { return NumOpen() == kWaiting - 1; }));
}

TEST_F(ListenerTest, TellsWhoEndedAConnection) {
  Open();
  Start();
  const int half = Connect();
  ASSERT_TRUE(Becomes([&] { return num_served() == 1; }));
  shutdown(half, SHUT_WR);  // It may still want its answers.
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(NumOpen(), 1);
  ShutDownAndClose(0);
  EXPECT_TRUE(Becomes([&] { return Closed("peer") == 1; }));

  Connect();
  ASSERT_TRUE(Becomes([&] { return num_served() == 1; }));
  ShutDownAndClose(0);  // The client does not answer that: it is not closed yet.
  EXPECT_TRUE(Becomes([&] { return Closed("handshake") == 1; }));

  const int spoke = Connect();
  const std::string hello(100, 'x');
  EXPECT_EQ(send(spoke, hello.data(), hello.size(), 0), 100);
  ASSERT_TRUE(Becomes([&] { return num_served() == 1; }));
  std::this_thread::sleep_for(milliseconds(100));
  ShutDownAndClose(0);
  EXPECT_TRUE(Becomes([&] { return Closed("server") == 1; }));

  const int rude = Connect();
  ASSERT_TRUE(Becomes([&] { return num_served() == 1; }));
  EXPECT_EQ(send(rude, hello.data(), hello.size(), 0), 100);
  std::this_thread::sleep_for(milliseconds(100));
  const linger abort{1, 0};
  setsockopt(rude, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  clients_.pop_back();
  close(rude);
  EXPECT_TRUE(Becomes([&] { return Closed("reset") == 1; }));
  EXPECT_EQ(NumOpen(), 0);
}

TEST_F(ListenerTest, ConnectionIsClosedWhenAsked) {
  Open();
  Start();
  const int client = Connect();
  const int other = Connect();
  ASSERT_TRUE(Becomes([&] { return num_served() == 2; }));
  sockaddr_in name{};
  socklen_t length = sizeof(name);
  ASSERT_EQ(getsockname(client, reinterpret_cast<sockaddr*>(&name), &length), 0);
  listener_->CloseConnection("ipv4:127.0.0.1:1");  // Nobody.
  listener_->CloseConnection("nonsense");
  listener_->CloseConnection("ipv4:127.0.0.1:" + std::to_string(ntohs(name.sin_port)));
  EXPECT_TRUE(IsClosed(client));
  EXPECT_TRUE(Becomes([&] { return Closed("too_many_calls") == 1; }));
  EXPECT_EQ(NumOpen(), 1);
  EXPECT_EQ(send(other, "x", 1, 0), 1);
}

// All descriptors of this process taken; gives them back when it goes.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = 0; fd >= 0;) {
      fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (fd >= 0) taken_.push_back(fd);
    }
  }
  ~NoDescriptors() {
    for (const int fd : taken_) close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  size_t size() const { return taken_.size(); }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_F(ListenerTest, ServesAgainAfterItHadNoDescriptor) {
  Open();
  Start();
  std::vector<int> early;
  for (int i = 0; i < 20; ++i) early.push_back(NewSocket());
  clients_.insert(clients_.end(), early.begin(), early.end());
  {
    const NoDescriptors none;
    EXPECT_GT(none.size(), 0u);
    for (const int fd : early) EXPECT_TRUE(ConnectTo(fd));
    for (const int fd : early) EXPECT_TRUE(IsClosed(fd));  // At once, rather than to wait.
  }
  const auto released = std::chrono::steady_clock::now();
  EXPECT_EQ(num_served(), 0u);
  Connect();
  EXPECT_TRUE(Becomes([&] { return num_served() == 1; }));
  EXPECT_LT(std::chrono::steady_clock::now() - released, seconds(1));
  EXPECT_GE(Metric("attendant_accept_errors_total"), 1);
  EXPECT_EQ(Closed("no_descriptor"), 20);
}

TEST_F(ListenerTest, ThousandsOfConnectionsLeaveNoDescriptorBehind) {
  options_.limits.max_connections = 50;
  Open();
  Start();
  const int before = NewSocket();  // The lowest that is free.
  close(before);
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 30; ++i) {
      const int fd = NewSocket();
      EXPECT_TRUE(ConnectTo(fd));
      close(fd);
    }
    // gRPC's part: it reads the end, and closes.
    const std::lock_guard lock(mutex_);
    for (const int fd : served_) {
      shutdown(fd, SHUT_RDWR);
      close(fd);
    }
    served_.clear();
  }
  EXPECT_TRUE(Becomes([&] {
    const std::lock_guard lock(mutex_);
    for (const int fd : served_) {
      shutdown(fd, SHUT_RDWR);
      close(fd);
    }
    served_.clear();
    return NumOpen() == 0 && Metric("attendant_connections_total") == 3000;
  }));
  const int after = NewSocket();
  EXPECT_EQ(after, before);
  close(after);
}

}  // namespace
}  // namespace attendant
