#include "server/port_sockets.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace attendant {
namespace {

// A listening socket on a port of the system's choice, of IPv4 or IPv6.
class PortSocketsTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    listening_ = socket(GetParam(), SOCK_STREAM, 0);
    if (GetParam() == AF_INET) {
      v4_.sin_family = AF_INET;
      v4_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      Listen(v4_);
      port_ = ntohs(v4_.sin_port);
    } else {
      v6_.sin6_family = AF_INET6;
      v6_.sin6_addr = in6addr_loopback;
      Listen(v6_);
      port_ = ntohs(v6_.sin6_port);
    }
  }
  void TearDown() override { close(listening_); }

  template <typename Address>
  void Listen(Address& address) {
    socklen_t length = sizeof(address);
    if (bind(listening_, reinterpret_cast<sockaddr*>(&address), length) != 0)
      GTEST_SKIP() << "no such loopback";
    ASSERT_EQ(listen(listening_, 8), 0);
    ASSERT_EQ(getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &length), 0);
  }
  // -1 if nobody listens.
  int Connect() const {
    const int fd = socket(GetParam(), SOCK_STREAM, 0);
    const auto* address = GetParam() == AF_INET ? reinterpret_cast<const sockaddr*>(&v4_)
                                                : reinterpret_cast<const sockaddr*>(&v6_);
    const socklen_t length = GetParam() == AF_INET ? sizeof(v4_) : sizeof(v6_);
    if (connect(fd, address, length) == 0) return fd;
    close(fd);
    return -1;
  }

  sockaddr_in v4_{};
  sockaddr_in6 v6_{};
  int listening_ = -1;
  int port_ = 0;
};

TEST_P(PortSocketsTest, ConnectionsAreCountedOnceAndOnlyTheServersEnd) {
  EXPECT_EQ(CountConnections(port_), 0);
  const int client = Connect();
  const int server = accept(listening_, nullptr, nullptr);
  EXPECT_EQ(CountConnections(port_), 1);
  EXPECT_EQ(CountConnections(port_ == 1 ? 2 : 1), 0);
  close(server);
  EXPECT_EQ(CountConnections(port_), 0);
  close(client);
}

TEST_P(PortSocketsTest, NobodyConnectsAfterStopListeningAndOpenConnectionsLiveOn) {
  const int client = Connect();
  const int server = accept(listening_, nullptr, nullptr);
  StopListening(port_);
  EXPECT_EQ(Connect(), -1);
  char byte = 'x';
  EXPECT_EQ(send(client, &byte, 1, 0), 1);
  EXPECT_EQ(recv(server, &byte, 1, 0), 1);
  EXPECT_EQ(CountConnections(port_), 1);
  close(client);
  close(server);
}

INSTANTIATE_TEST_SUITE_P(Families, PortSocketsTest, testing::Values(AF_INET, AF_INET6));

}  // namespace
}  // namespace attendant
