#include "server/auth/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

CallerCredentials WithKey(const std::string& key) {
  CallerCredentials credentials;
  credentials.key = key;
  return credentials;
}

class KeyRingTest : public testing::Test {
 protected:
  // Entries whose keys are their ids.
  void Load(const std::vector<std::string>& entries) {
    std::string text;
    for (const std::string& entry : entries) {
      const std::string id = entry.substr(0, entry.find(' '));
      absl::StrAppend(&text, "key { id: '", id, "' sha256: '", ToHex(Sha256(id)), "' ",
                      entry.substr(id.size()), " }\n");
    }
    auto keys = ParseKeyFile(text, "f");
    ASSERT_TRUE(keys.ok()) << keys.status();
    ring_.Replace(*std::move(keys));
  }
  absl::StatusCode CodeOf(Access access, const CallerCredentials& credentials) {
    return ring_.Admit(access, credentials).status().code();
  }
  double Value(const std::string& line) const {
    const std::string text = prometheus::TextSerializer().Serialize(registry_.Collect());
    const size_t at = text.find(line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 1));
  }

  prometheus::Registry registry_;
  AuthMetrics metrics_{registry_};
  FakeClock clock_;
  KeyRing ring_{metrics_, clock_};
};

TEST_F(KeyRingTest, IsOpenWithoutKeys) {
  EXPECT_TRUE(ring_.is_open());
  EXPECT_EQ(CodeOf(Access::kAdmin, {}), absl::StatusCode::kOk);
  EXPECT_TRUE(ring_.Allows(Access::kMetrics, "", ""));
}

TEST_F(KeyRingTest, AsksForAKeyInForceWithTheRole) {
  Load({"a role: INFER", "b role: ADMIN", "c role: METRICS", "d role: [INFER, ADMIN]"});
  const std::pair<Access, std::string> rights[] = {{Access::kAnyKey, "abcd"},
                                                   {Access::kInfer, "ad"},
                                                   {Access::kAdmin, "bd"},
                                                   {Access::kMetrics, "c"},
                                                   {Access::kUnset, ""}};
  for (const auto& [access, may] : rights) {
    for (const std::string id : {"a", "b", "c", "d"}) {
      const auto expected =
          absl::StrContains(may, id) ? absl::StatusCode::kOk : absl::StatusCode::kPermissionDenied;
      EXPECT_EQ(CodeOf(access, WithKey(id)), expected) << id << " " << static_cast<int>(access);
    }
    EXPECT_EQ(CodeOf(access, {}), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(CodeOf(access, WithKey("e")), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(CodeOf(access, WithKey("")), absl::StatusCode::kUnauthenticated);
    CallerCredentials malformed = WithKey("d");
    malformed.is_malformed = true;
    EXPECT_EQ(CodeOf(access, malformed), absl::StatusCode::kUnauthenticated);
  }
  EXPECT_EQ(Value("attendant_auth_failures_total{reason=\"missing\"}"), 5);
  EXPECT_EQ(Value("attendant_auth_failures_total{reason=\"unknown\"}"), 10);
  EXPECT_EQ(Value("attendant_auth_failures_total{reason=\"malformed\"}"), 5);
  EXPECT_EQ(Value("attendant_auth_failures_total{reason=\"role\"}"), 11);
  EXPECT_EQ(Value("attendant_key_requests_total{key=\"d\",result=\"admitted\"}"), 3);
  EXPECT_EQ(Value("attendant_key_requests_total{key=\"d\",result=\"role\"}"), 2);
}

TEST_F(KeyRingTest, CertificateNamesStandForKeysButNotBesideAWrongOne) {
  Load({"a role: INFER certificate: 'client.example.com' certificate: 'spiffe://x/y'"});
  CallerCredentials credentials;
  credentials.certificate_names = {"other", "spiffe://x/y"};
  EXPECT_EQ(CodeOf(Access::kInfer, credentials), absl::StatusCode::kOk);
  EXPECT_EQ(CodeOf(Access::kAdmin, credentials), absl::StatusCode::kPermissionDenied);
  credentials.key = "wrong";
  EXPECT_EQ(CodeOf(Access::kInfer, credentials), absl::StatusCode::kUnauthenticated);
  credentials.key.reset();
  credentials.certificate_names = {"other", "CLIENT.example.com", ""};
  EXPECT_EQ(CodeOf(Access::kInfer, credentials), absl::StatusCode::kUnauthenticated);
}

TEST_F(KeyRingTest, MetricsNeedIdAndKeyOfOneEntry) {
  Load({"a role: METRICS", "b role: METRICS", "c role: INFER"});
  EXPECT_TRUE(ring_.Allows(Access::kMetrics, "a", "a"));
  EXPECT_FALSE(ring_.Allows(Access::kMetrics, "a", "b"));
  EXPECT_FALSE(ring_.Allows(Access::kMetrics, "", "a"));
  EXPECT_FALSE(ring_.Allows(Access::kMetrics, "c", "c"));
}

TEST_F(KeyRingTest, ConcurrencyEndsWithTheAdmission) {
  Load({"a role: INFER max_concurrent: 2"});
  auto first = ring_.Admit(Access::kInfer, WithKey("a"));
  auto second = ring_.Admit(Access::kInfer, WithKey("a"));
  const auto third = ring_.Admit(Access::kInfer, WithKey("a"));
  EXPECT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(third.status()));
  EXPECT_EQ(RetryAfterMs(third.status()), 100);
  { const Admission over = *std::move(first); }
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kOk);
  EXPECT_EQ(Value("attendant_key_requests_total{key=\"a\",result=\"concurrency\"}"), 1);
}

TEST_F(KeyRingTest, ReplacingHoldsAnAdmissionInItsMoveAssignment) {
  Load({"a role: INFER max_concurrent: 1"});
  Admission admission;
  admission = *ring_.Admit(Access::kInfer, WithKey("a"));
  EXPECT_EQ(admission.id(), "a");
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kResourceExhausted);
  admission = Admission();
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kOk);
}

TEST_F(KeyRingTest, RateIsRefusedWithTheTimeToWait) {
  Load({"a role: INFER requests_per_second: 10 burst: 2"});
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kOk);
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kOk);
  EXPECT_EQ(RetryAfterMs(ring_.Admit(Access::kInfer, WithKey("a")).status()), 100);
  clock_.Advance(milliseconds(99));
  EXPECT_EQ(RetryAfterMs(ring_.Admit(Access::kInfer, WithKey("a")).status()), 1);
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kOk);
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kResourceExhausted);
}

TEST_F(KeyRingTest, ReplaceAddsRemovesAndKeepsQuotas) {
  Load({"a role: INFER requests_per_second: 1", "b role: INFER"});
  const auto held = ring_.Admit(Access::kInfer, WithKey("b"));
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kOk);
  Load({"a role: INFER requests_per_second: 1", "c role: INFER"});
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("a")), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("b")), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(CodeOf(Access::kInfer, WithKey("c")), absl::StatusCode::kOk);
}

TEST_F(KeyRingTest, SeriesStayBoundedWhateverTheFileHadInIt) {
  for (size_t i = 0; i < AuthMetrics::kMaxSeries; ++i) metrics_.CountersOf(absl::StrCat("id", i));
  metrics_.CountersOf("one-more")[0]->Increment();
  metrics_.CountersOf("id0")[0]->Increment();
  EXPECT_EQ(Value("attendant_key_requests_total{key=\"other\",result=\"admitted\"}"), 1);
  EXPECT_EQ(Value("attendant_key_requests_total{key=\"id0\",result=\"admitted\"}"), 1);
  EXPECT_EQ(Value("attendant_key_requests_total{key=\"one-more\",result=\"admitted\"}"), -1);
}

TEST_F(KeyRingTest, ManyThreadsNeverPassTheConcurrencyWhileTheKeysAreReplaced) {
  Load({"a role: INFER max_concurrent: 3"});
  std::atomic<bool> stop = false;
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        const auto admission = ring_.Admit(Access::kInfer, WithKey("a"));
        if (!admission.ok()) continue;
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        --inside;
      }
    });
  }
  for (int i = 0; i < 200 || most == 0; ++i)
    Load({"a role: INFER max_concurrent: 3", absl::StrCat("b", i, " role: INFER")});
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_GE(most, 1);
  EXPECT_LE(most, 3);
}

TEST(TokenBucketTest, GivesTheBurstAndThenTheRate) {
  FakeClock clock;
  TokenBucket bucket;
  const TokenRate rate{100, 5};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bucket.Take(rate, clock.Now()), Duration::zero()) << i;
  EXPECT_EQ(bucket.Take(rate, clock.Now()), milliseconds(10));
  int taken = 0;
  for (int ms = 0; ms < 1000; ++ms) {
    clock.Advance(milliseconds(1));
    if (bucket.Take(rate, clock.Now()) == Duration::zero()) ++taken;
  }
  EXPECT_EQ(taken, 100);
}

TEST(TokenBucketTest, FillsNoFurtherThanTheBurst) {
  FakeClock clock;
  TokenBucket bucket;
  const TokenRate rate{1, 3};
  clock.Advance(std::chrono::hours(1));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.Take(rate, clock.Now()), Duration::zero());
  EXPECT_EQ(bucket.Take(rate, clock.Now()), seconds(1));
}

TEST(TokenBucketTest, ZeroIsNoLimit) {
  const FakeClock clock;
  TokenBucket bucket;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(bucket.Take({}, clock.Now()), Duration::zero());
}

TEST(TokenBucketTest, ASlowerRateLeavesNoDebtToAFasterOne) {
  FakeClock clock;
  TokenBucket bucket;
  EXPECT_EQ(bucket.Take({0.001, 1}, clock.Now()), Duration::zero());
  EXPECT_EQ(bucket.Take({0.001, 1}, clock.Now()), seconds(1000));
  EXPECT_EQ(bucket.Take({10, 1}, clock.Now()), milliseconds(100));
}

}  // namespace
}  // namespace attendant
