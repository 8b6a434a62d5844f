#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/server_process.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const char kModels[] = "--models=" ATTENDANT_SOURCE_DIR "/models";

std::vector<std::string> Args(std::vector<std::string> more = {}) {
  std::vector<std::string> args = {kModels, "--listen=127.0.0.1:0", "--metrics=127.0.0.1:0",
                                   "--kv-cache-bytes=64MiB"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

grpc::Status Ask(const std::shared_ptr<grpc::Channel>& channel, const v1::TranslateRequest& request) {
  grpc::ClientContext context;
  v1::TranslateResponse response;
  const auto stub = v1::TranslationService::NewStub(channel);
  const grpc::Status status = stub->Translate(&context, request, &response);
  EXPECT_EQ(response.translations_size(), status.ok() ? request.contents_size() : 0);
  return status;
}

TEST(ProcessTest, SigtermUnderLoadAnswersEverythingAccepted) {
  ServerProcess server(Args({"--drain-timeout-ms=300000"}));
  const int port = server.GrpcPort();
  ASSERT_TRUE(WaitUntilServing(Connect(port))) << server.Stderr();
  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      const auto channel = Connect(port);
      do {
        const grpc::Status status = Ask(channel, Request(LongText(5 + i)));
        EXPECT_TRUE(status.ok()) << status.error_message();
        ++answered;
      } while (!stop);
    });
  }
  // A call that is still at work when the grace is over.
  clients.emplace_back([&] {
    const grpc::Status status = Ask(Connect(port), Request(LongText(400)));
    EXPECT_TRUE(status.ok()) << status.error_message();
  });
  while (answered < 8) std::this_thread::yield();
  server.Signal(SIGTERM);
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(server.Wait(), 0) << server.Stderr();
  EXPECT_THAT(server.Stderr(), HasSubstr("drained complete=true"));
}

TEST(ProcessTest, SecondSignalEndsAtOnce) {
  ServerProcess server(Args({"--drain-grace-ms=600000"}));
  ASSERT_GT(server.GrpcPort(), 0);
  server.Signal(SIGINT);
  while (server.Stderr().find("draining") == std::string::npos) std::this_thread::yield();
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 128 + SIGTERM);
}

TEST(ProcessTest, RestartAfterKillIsReadyOnTheSamePort) {
  auto first = std::make_unique<ServerProcess>(Args());
  const int port = first->GrpcPort();
  ASSERT_TRUE(WaitUntilServing(Connect(port)));
  first->Signal(SIGKILL);
  EXPECT_EQ(first->Wait(), -SIGKILL);
  std::vector<std::string> args = Args();
  args.push_back(absl::StrCat("--listen=127.0.0.1:", port));
  ServerProcess second(args);
  ASSERT_EQ(second.GrpcPort(), port);
  ASSERT_TRUE(WaitUntilServing(Connect(port)));
  EXPECT_TRUE(Ask(Connect(port), Request("Good morning.")).ok());
}

TEST(ProcessTest, WrongConfigurationIsOneLineAndExitCodeTwo) {
  const TempDir dir;
  const std::string file = dir.Write("bad.txt", "limits {\n  max_contents: 0\n}\n");
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{}, "no models"},
      {{kModels, "--max-queue=0"}, "--max-queue: 0"},
      {{kModels, "--no-such-flag"}, "--no-such-flag"},
      {{kModels, "--listen=0.0.0.0:0"}, "--insecure"},
      {{"--models=/nowhere"}, "/nowhere"},
      {{"--model=x=/nowhere"}, "model x: /nowhere is not a directory"},
      {{"--config=/nowhere.txt"}, "/nowhere.txt"},
      {{kModels, "--listen=127.0.0.1:0", "--metrics=", "--api-keys=/nowhere"}, "see --api-keys"},
      {{kModels, "--listen=127.0.0.1:0", "--metrics=", "--tls-certificate=/nowhere", "--tls-key=/nowhere"},
       "see --tls-certificate"},
      {{kModels, "--config=" + file}, file + ":2: limits.max_contents"},
  };
  for (const auto& [args, expected] : cases) {
    ServerProcess server(args);
    EXPECT_EQ(server.Wait(), 2) << expected;
    const std::string text = server.Stderr();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    EXPECT_THAT(text, StartsWith("attendant-server: "));
    EXPECT_THAT(text, HasSubstr(expected));
  }
}

TEST(ProcessTest, TakenPortIsSaidAndExitCodeOne) {
  const int taken[] = {TestServer::Shared().server().grpc_port(),
                       TestServer::Shared().server().metrics_port()};
  const char* flags[] = {"--listen=127.0.0.1:", "--metrics=127.0.0.1:"};
  for (int i = 0; i < 2; ++i) {
    ServerProcess server(Args({absl::StrCat(flags[i], taken[i])}));
    EXPECT_EQ(server.Wait(), 1);
    EXPECT_THAT(server.Stderr(), HasSubstr(absl::StrCat("cannot listen on 127.0.0.1:", taken[i])));
  }
}

}  // namespace
}  // namespace attendant
