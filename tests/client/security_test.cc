#include "client/security.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/server/temp_dir.h"

namespace attendant::client {
namespace {

using testing::HasSubstr;

class SecurityTest : public testing::Test {
 protected:
  ~SecurityTest() override { unsetenv("ATTENDANT_API_KEY"); }
  std::string ErrorOf(const std::string& server = "127.0.0.1:1") const {
    const auto channel = MakeSecureChannel(options_, server, {});
    return channel.ok() ? "" : std::string(channel.status().message());
  }

  const TempDir dir_;
  SecurityOptions options_;
};

TEST_F(SecurityTest, KnowsThisMachineAndNothingThatLooksLikeIt) {
  for (const char* server : {"127.0.0.1:1", "127.1.2.3:1", "localhost:1", "[::1]:1", "unix:/run/a"}) {
    EXPECT_TRUE(IsThisMachine(server)) << server;
  }
  for (const char* server : {"127.evil.example:1", "localhost.evil.example:1", "128.0.0.1:1", "0.0.0.0:1",
                             "[::2]:1", "dns:///localhost:1", ""}) {
    EXPECT_FALSE(IsThisMachine(server)) << server;
  }
}

TEST_F(SecurityTest, AKeyGoesToAnotherMachineOnlyOverTlsOrWhenTold) {
  EXPECT_EQ(ErrorOf("example.com:1"), "");
  setenv("ATTENDANT_API_KEY", "att_secret", 1);
  EXPECT_EQ(ErrorOf(), "");
  EXPECT_THAT(ErrorOf("example.com:1"), HasSubstr("in the clear"));
  EXPECT_THAT(ErrorOf("127.evil.example:1"), HasSubstr("in the clear"));
  options_.send_key_in_clear = true;
  EXPECT_EQ(ErrorOf("example.com:1"), "");
  options_.send_key_in_clear = false;
  options_.tls = true;
  EXPECT_EQ(ErrorOf("example.com:1"), "");
}

TEST_F(SecurityTest, AKeyFileHasOneKeyAndNothingElse) {
  options_.api_key_file = dir_.Write("key", " att_secret\r\n");
  EXPECT_EQ(ErrorOf(), "");
  for (const char* text : {" \n", "one two", "one\ntwo", "caf\xc3\xa9"}) {
    options_.api_key_file = dir_.Write("key", text);
    EXPECT_THAT(ErrorOf(), HasSubstr("one API key")) << text;
  }
  options_.api_key_file = dir_.Write("key", std::string(4096, 'k'));
  EXPECT_EQ(ErrorOf(), "");
  options_.api_key_file = dir_.Write("key", std::string(4097, 'k'));
  EXPECT_THAT(ErrorOf(), HasSubstr("one API key"));
  options_.api_key_file = "/nowhere";
  EXPECT_THAT(ErrorOf(), HasSubstr("--api-key-file: cannot read /nowhere"));
}

TEST_F(SecurityTest, FilesOfTlsMeanTlsAndMustBeThere) {
  EXPECT_FALSE(options_.UsesTls());
  options_.ca_file = "/nowhere";
  EXPECT_TRUE(options_.UsesTls());
  EXPECT_THAT(ErrorOf(), HasSubstr("--tls-ca: cannot read /nowhere"));
  options_ = {};
  options_.cert_file = dir_.Write("cert", "x");
  EXPECT_THAT(ErrorOf(), HasSubstr("--tls-cert and --tls-key go together"));
}

TEST_F(SecurityTest, OtherFailuresAreNoHandshakes) {
  EXPECT_TRUE(ExplainHandshake(options_, "failed to connect: Connection refused").ok());
  options_.tls = true;
  EXPECT_TRUE(ExplainHandshake(options_, "failed to connect: Connection refused").ok());
  EXPECT_TRUE(IsHandshakeError(ExplainHandshake(options_, "Ssl handshake failed: who knows")));
}

}  // namespace
}  // namespace attendant::client
