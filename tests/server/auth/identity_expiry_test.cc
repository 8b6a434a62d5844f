#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>

#include "server/auth/identity.h"
#include "tests/server/auth/certificates.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kDaySeconds = 24 * 3600;

// A server's identity whose wall clock the test sets.
class IdentityExpiryTest : public testing::Test {
 protected:
  IdentityExpiryTest() {
    const TestCertificate made = MakeCertificate({.valid_until_seconds = 100 * kDaySeconds});
    config_.mutable_tls()->set_certificate(dir_.Write("cert.pem", made.pem));
    config_.mutable_tls()->set_key(dir_.Write("key.pem", made.key_pem));
  }
  // What is logged from a start that many days before expiry, and until the clock shows `then` days before
  // it.
  std::string LogFrom(int64_t first, int64_t then) {
    const int64_t expiry = std::time(nullptr) + 100 * kDaySeconds;
    std::atomic<int64_t> now = expiry - first * kDaySeconds;
    testing::internal::CaptureStderr();
    {
      const Logger log{config::Logging()};
      prometheus::Registry registry;
      Identity identity(config_, registry, log, Clock::Real(), [&now] { return now.load(); });
      EXPECT_TRUE(identity.Start().ok());
      now = expiry - then * kDaySeconds;
      std::this_thread::sleep_for(std::chrono::milliseconds(1800));  // Three looks.
    }
    return testing::internal::GetCapturedStderr();
  }

  const TempDir dir_;
  config::ServerConfig config_;
};

TEST_F(IdentityExpiryTest, IsSilentUntilTwoWeeksBefore) {
  EXPECT_THAT(LogFrom(60, 15), Not(HasSubstr("expires soon")));
}

TEST_F(IdentityExpiryTest, WarnsAtStartAndOnceADay) {
  const auto warnings = [this](int64_t first, int64_t then) {
    const std::string log = LogFrom(first, then);
    int count = 0;
    for (size_t at = 0; (at = log.find("expires soon", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  EXPECT_EQ(warnings(13, 13), 1);
  EXPECT_EQ(warnings(13, 11), 2);
}

TEST_F(IdentityExpiryTest, SaysThatItHasExpired) {
  EXPECT_THAT(LogFrom(60, -1), HasSubstr("ERROR certificate expired"));
}

}  // namespace
}  // namespace attendant
