#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/client_fixture.h"
#include "tests/integration/server_process.h"
#include "tests/server/auth/certificates.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::HasSubstr;
using testing::Not;

// As a user sets it up: certificate, key from --new-key, key file.
class ClientIdentityTest : public ClientFixture {
 protected:
  ClientIdentityTest() : saved_dir_(dir_) {
    dir_ = files_.path();
    const TestCertificate server = MakeCertificate({.issuer = &ca_});
    const TestCertificate other = MakeCertificate({.common_name = "other", .is_ca = true});
    files_.Write("cert.pem", server.pem);
    files_.Write("key.pem", server.key_pem);
    files_.Write("ca.pem", ca_.pem);
    files_.Write("other.pem", other.pem);
    const Finished made = Run(Quote(Binary("attendant-server")) + " --new-key shop --roles infer");
    EXPECT_EQ(made.exit_code, 0) << made.err;
    const std::vector<std::string> lines = Lines(made.out);
    EXPECT_EQ(lines.size(), 2U);
    files_.Write("shop.key", lines[0] + "\n");
    files_.Write("keys.txt", lines[1] + "\n");
    key_ = lines[0];
  }
  ~ClientIdentityTest() override {
    unsetenv("ATTENDANT_API_KEY");
    dir_ = saved_dir_;
  }

  // Starts one; further arguments are the flags of TLS and keys.
  void Start(std::vector<std::string> arguments) {
    for (const char* more : {"--model=m=" ATTENDANT_SOURCE_DIR "/models/classify-language",
                             "--listen=127.0.0.1:0", "--metrics=", "--workers=1"}) {
      arguments.emplace_back(more);
    }
    server_process_ = std::make_unique<ServerProcess>(arguments);
    const int port = server_process_->GrpcPort();
    ASSERT_GT(port, 0) << server_process_->Stderr();
    setenv("ATTENDANT_SERVER", absl::StrCat("127.0.0.1:", port).c_str(), 1);
  }
  std::string Flag(const std::string& name, const std::string& file) const {
    return absl::StrCat("--", name, "=", (files_.path() / file).string());
  }
  std::vector<std::string> TlsFlags() const {
    return {Flag("tls-certificate", "cert.pem"), Flag("tls-key", "key.pem")};
  }

  const TempDir files_;
  const std::filesystem::path saved_dir_;
  const TestCertificate ca_ = MakeCertificate({.common_name = "ca", .is_ca = true});
  std::string key_;
  std::unique_ptr<ServerProcess> server_process_;
};

TEST_F(ClientIdentityTest, KeyAndTlsFromFilesAndEnvironment) {
  std::vector<std::string> flags = TlsFlags();
  flags.push_back(Flag("api-keys", "keys.txt"));
  Start(flags);
  EXPECT_EQ(Run("attendant health --wait 60s --tls-ca ca.pem").exit_code, 0) << "health needs no key";
  const Finished by_file = Run("attendant models --tls-ca ca.pem --api-key-file shop.key");
  EXPECT_EQ(by_file.exit_code, 0) << by_file.err;
  const Finished by_variable =
      Run("ATTENDANT_API_KEY=$(cat shop.key) attendant classify --tls-ca ca.pem --text 'Guten Morgen.'");
  EXPECT_EQ(by_variable.exit_code, 0) << by_variable.err;
  const Finished without = Run("attendant models --tls-ca ca.pem");
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.err, HasSubstr("asks for an API key"));
  EXPECT_THAT(without.err, HasSubstr("--api-key-file FILE"));
  const Finished wrong = Run("ATTENDANT_API_KEY=wrong attendant models --tls-ca ca.pem");
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("is not one of this server"));
  EXPECT_THAT(server_process_->Stderr(), Not(HasSubstr(key_)));
}

TEST_F(ClientIdentityTest, FailedHandshakesSayWhatToDo) {
  Start(TlsFlags());
  const std::pair<std::string, std::string> cases[] = {
      {"--tls-ca other.pem", "not of an authority trusted here"},
      {"--tls-ca ca.pem --tls-server-name elsewhere.example.com", "for another name"},
      {"", "add --tls"},
  };
  for (const auto& [arguments, message] : cases) {
    const Finished finished = Run("attendant models " + arguments);
    EXPECT_EQ(finished.exit_code, 3) << arguments;
    EXPECT_THAT(finished.err, HasSubstr(message)) << arguments;
  }
  EXPECT_EQ(Run("attendant models --tls-ca ca.pem --tls-server-name localhost").exit_code, 0);
}

TEST_F(ClientIdentityTest, AServerThatAsksForACertificateSaysSo) {
  const TestCertificate client = MakeCertificate({.common_name = "worker", .issuer = &ca_});
  files_.Write("client.pem", client.pem);
  files_.Write("client.key", client.key_pem);
  std::vector<std::string> flags = TlsFlags();
  flags.push_back(Flag("tls-client-ca", "ca.pem"));
  Start(flags);
  const Finished without = Run("attendant models --tls-ca ca.pem");
  EXPECT_EQ(without.exit_code, 3);
  EXPECT_THAT(without.err, HasSubstr("client certificate: --tls-cert"));
  const Finished with = Run("attendant models --tls-ca ca.pem --tls-cert client.pem --tls-key client.key");
  EXPECT_EQ(with.exit_code, 0) << with.err;
}

TEST_F(ClientIdentityTest, TlsAgainstAServerWithoutItSaysSo) {
  Start({});
  const Finished finished = Run("attendant models --tls-ca ca.pem");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_THAT(finished.err, HasSubstr("does not speak TLS"));
  EXPECT_EQ(Run("attendant models --server 192.0.2.1:1 --api-key-file shop.key").exit_code, 1)
      << "refused before it connects";
}

}  // namespace
}  // namespace attendant
