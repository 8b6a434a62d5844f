#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/server_process.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using std::chrono::seconds;

std::vector<std::string> RolloutArgs(std::vector<std::string> more = {}) {
  std::vector<std::string> args = {"--models=" ATTENDANT_SOURCE_DIR "/models", "--listen=127.0.0.1:0",
                                   "--metrics=127.0.0.1:0", "--kv-cache-bytes=64MiB"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

// Nothing is tried twice, not even what the server has not seen.
std::shared_ptr<grpc::Channel> ConnectWithoutRetries(int port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(),
                                   arguments);
}

grpc::Status TranslateOn(const std::shared_ptr<grpc::Channel>& channel, const std::string& text) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + seconds(60));
  v1::TranslateResponse response;
  return v1::TranslationService::NewStub(channel)->Translate(&context, Request(text), &response);
}

TEST(RolloutTest, ServerThatListensWhenReadyIsReadyWhenItListens) {
  ServerProcess server(RolloutArgs({"--listen-when-ready"}));
  const auto channel = Connect(server.GrpcPort());
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  const auto health = grpc::health::v1::Health::NewStub(channel);
  ASSERT_TRUE(health->Check(&context, {}, &response).ok()) << server.Stderr();
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  const grpc::Status status = TranslateOn(channel, "Good morning.");
  EXPECT_TRUE(status.ok()) << status.error_message();
}

// Clients that go on as if nothing were: every call is answered, until there is nobody to connect to.
TEST(RolloutTest, SigtermLosesNoCallWhereConnectionsAge) {
  ServerProcess server(RolloutArgs({"--max-connection-age-ms=1000", "--drain-grace-ms=100"}));
  const int port = server.GrpcPort();
  ASSERT_TRUE(WaitUntilServing(Connect(port))) << server.Stderr();
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      const auto channel = ConnectWithoutRetries(port);
      grpc::Status status;
      for (int call = 0; status.ok(); ++call) {
        status = TranslateOn(channel, absl::StrCat("Tom has ", 8 * call + i, " books."));
        if (status.ok()) ++answered;
      }
      // Never CANCELLED: that would be a call cut off by the shutdown. And no refusal by the server either.
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
      EXPECT_THAT(status.error_message(), testing::HasSubstr("connect")) << status.error_message();
    });
  }
  while (answered < 50) std::this_thread::yield();
  server.Signal(SIGTERM);
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(server.Wait(), 0) << server.Stderr();
  EXPECT_THAT(server.Stderr(), testing::HasSubstr("drained complete=true"));
}

// A stream that nobody ends (reflection, a Watch) does not hold up the drain.
TEST(RolloutTest, OpenWatchDoesNotHoldUpTheDrain) {
  ServerProcess server(RolloutArgs({"--drain-grace-ms=0", "--drain-timeout-ms=60000"}));
  const auto channel = Connect(server.GrpcPort());
  ASSERT_TRUE(WaitUntilServing(channel)) << server.Stderr();
  grpc::ClientContext context;
  const auto reader = grpc::health::v1::Health::NewStub(channel)->Watch(&context, {});
  grpc::health::v1::HealthCheckResponse response;
  ASSERT_TRUE(reader->Read(&response));
  const auto begin = std::chrono::steady_clock::now();
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0) << server.Stderr();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(30));
  while (reader->Read(&response)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(RolloutTest, KilledServerFailsTheCallsUnderWayAtOnce) {
  ServerProcess server(RolloutArgs());
  const int port = server.GrpcPort();
  ASSERT_TRUE(WaitUntilServing(Connect(port))) << server.Stderr();
  std::vector<std::thread> clients;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      const grpc::Status status = TranslateOn(ConnectWithoutRetries(port), LongText(2000));
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
      ++failed;
    });
  }
  EXPECT_TRUE(BecomesTrue(
      [&] { return MetricIn(ScrapeMetrics(server.MetricsPort()), "attendant_requests_in_flight") == 4; }));
  const auto begin = std::chrono::steady_clock::now();
  server.Signal(SIGKILL);
  for (std::thread& client : clients) client.join();
  // Long before their deadline of a minute.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  EXPECT_EQ(failed, 4);
  EXPECT_EQ(server.Wait(), -SIGKILL);
}

}  // namespace
}  // namespace attendant
