#include "server/front_door/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace attendant {
namespace {

SocketAddress Numeric(const std::string& address) {
  return ResolveToListen(address).value().front();
}

TEST(AddressTest, ResolvesNumbers) {
  const SocketAddress v4 = Numeric("127.0.0.1:8500");
  EXPECT_EQ(v4.family(), AF_INET);
  EXPECT_EQ(v4.port(), 8500);
  const SocketAddress v6 = Numeric("[::1]:0");
  EXPECT_EQ(v6.family(), AF_INET6);
  EXPECT_EQ(v6.port(), 0);
  EXPECT_EQ(Numeric("0.0.0.0:65535").port(), 65535);
}

TEST(AddressTest, ResolvesNamesToEachAddressOnce) {
  const auto found = ResolveToListen("localhost:1");
  ASSERT_TRUE(found.ok());
  EXPECT_GE(found->size(), 1u);
  EXPECT_LE(found->size(), 2u);
}

TEST(AddressTest, WrongAddressesAreErrors) {
  for (const char* wrong :
       {"", ":1", "localhost", "localhost:", "localhost:65536", "localhost:-1", "localhost:x"}) {
    EXPECT_EQ(ResolveToListen(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
  EXPECT_EQ(ResolveToListen("no.such.host.invalid:1").status().code(), absl::StatusCode::kUnavailable);
}

TEST(AddressTest, PortCanBeSet) {
  for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
    SocketAddress changed = Numeric(address);
    changed.SetPort(4711);
    EXPECT_EQ(changed.port(), 4711);
  }
}

TEST(AddressTest, PeerIsItsHostAndOfIpv6TheSubscriber) {
  EXPECT_EQ(PeerKey(Numeric("10.0.0.1:1")), PeerKey(Numeric("10.0.0.1:2")));
  EXPECT_NE(PeerKey(Numeric("10.0.0.1:1")), PeerKey(Numeric("10.0.0.2:1")));
  EXPECT_EQ(PeerKey(Numeric("[::ffff:10.0.0.1]:1")), PeerKey(Numeric("10.0.0.1:1")));
  EXPECT_EQ(PeerKey(Numeric("[2001:db8::1]:1")), PeerKey(Numeric("[2001:db8::2]:1")));
  EXPECT_NE(PeerKey(Numeric("[2001:db8:0:1::1]:1")), PeerKey(Numeric("[2001:db8:0:2::1]:1")));
}

TEST(AddressTest, ConnectionIsKnownByGrpcsNameForIt) {
  EXPECT_EQ(ConnectionKeyOf("ipv4:10.0.0.1:77"), ConnectionKey(Numeric("10.0.0.1:77")));
  EXPECT_EQ(ConnectionKeyOf("ipv4:10.0.0.1:77"), ConnectionKey(Numeric("[::ffff:10.0.0.1]:77")));
  EXPECT_NE(ConnectionKeyOf("ipv4:10.0.0.1:77"), ConnectionKey(Numeric("10.0.0.1:78")));
  EXPECT_EQ(ConnectionKeyOf("ipv6:%5B2001:db8::1%5D:77"), ConnectionKey(Numeric("[2001:db8::1]:77")));
  EXPECT_EQ(ConnectionKeyOf("ipv6:[::1]:77"), ConnectionKey(Numeric("[::1]:77")));
  for (const char* other : {"", "unix:/tmp/x", "ipv4:", "ipv4:10.0.0.1", "ipv4:x:1", "ipv6:10.0.0.1:77"}) {
    EXPECT_EQ(ConnectionKeyOf(other), "") << other;
  }
}

}  // namespace
}  // namespace attendant
