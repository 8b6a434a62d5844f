#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/server_process.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What happens to processes and sockets, not to requests. After each fault a good request gets its answer.
class ProcessFaultTest : public testing::Test {
 protected:
  void Start(const std::string& stderr_path = "") {
    server_ = std::make_unique<ServerProcess>(
        std::vector<std::string>{"--models=" ATTENDANT_SOURCE_DIR "/models", "--listen=127.0.0.1:0",
                                 "--metrics=127.0.0.1:0", "--kv-cache-bytes=64MiB", "--log-level=debug"},
        stderr_path);
    ASSERT_TRUE(WaitUntilServing(Connect(server_->GrpcPort()))) << server_->Stderr();
  }

  grpc::Status Ask(const std::string& text, milliseconds timeout) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    v1::TranslateResponse response;
    return v1::TranslationService::NewStub(Connect(server_->GrpcPort()))
        ->Translate(&context, Request(text), &response);
  }
  double Metric(const std::string& name) const {
    return MetricIn(ScrapeMetrics(server_->MetricsPort()), name);
  }
  void ExpectServesAndIsIdle() {
    const grpc::Status status = Ask("Good morning.", seconds(30));
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(BecomesTrue([&] {
      return Metric("attendant_requests_in_flight") == 0 && Metric("attendant_running_sentences") == 0 &&
             Metric("attendant_queue_depth") == 0;
    }));
  }

  std::unique_ptr<ServerProcess> server_;
};

TEST_F(ProcessFaultTest, StoppedAndContinuedServerDropsWhatNobodyWaitsFor) {
  Start();
  std::vector<std::thread> clients;
  server_->Signal(SIGSTOP);
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] {
      EXPECT_EQ(Ask(LongText(200), milliseconds(700)).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    });
  }
  for (std::thread& client : clients) client.join();
  server_->Signal(SIGCONT);
  const auto begin = std::chrono::steady_clock::now();
  ExpectServesAndIsIdle();
  // Sixteen texts of two hundred sentences would take far longer.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(20));
  EXPECT_LT(Metric("attendant_output_tokens_total"), 200 * 16);
}

TEST_F(ProcessFaultTest, KilledClientsLeaveNothingBehind) {
  Start();
  const TempDir dir;
  std::string lines;
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&lines, "The old man reads letter number ", i, ".\n");
  const std::string input = dir.Write("input.txt", lines);
  const std::string target = absl::StrCat("127.0.0.1:", server_->GrpcPort());
  std::vector<pid_t> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(fork());
    if (clients.back() == 0) {
      execl(ATTENDANT_BINARY_DIR "/attendant", "attendant", "translate", "--quiet", "--server",
            target.c_str(), "--input", input.c_str(), "--output", "/dev/null", nullptr);
      _exit(127);
    }
  }
  EXPECT_TRUE(BecomesTrue([&] { return Metric("attendant_running_sentences") > 0; }));
  for (const pid_t client : clients) {
    kill(client, SIGKILL);
    int status = 0;
    waitpid(client, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the client had ended by itself: the test is too short";
  }
  ExpectServesAndIsIdle();
  EXPECT_GT(Metric("attendant_cancelled_total"), 0);
}

TEST_F(ProcessFaultTest, LogThatIsWrittenDropsNothing) {
  Start();
  ExpectServesAndIsIdle();
  EXPECT_EQ(Metric("attendant_log_lines_dropped_total"), 0);
}

TEST_F(ProcessFaultTest, LogThatCannotBeWrittenStopsNothing) {
  Start("/dev/full");
  ExpectServesAndIsIdle();
  EXPECT_GT(Metric("attendant_log_lines_dropped_total"), 0);
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
}

TEST_F(ProcessFaultTest, SilentAndRudeConnectionsDoNotHoldUpOthers) {
  Start();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server_->GrpcPort()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> sockets;
  for (int i = 0; i < 300; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const std::string hello = i % 3 == 0 ? ""
                              : i % 3 == 1
                                  ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                                  : std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + "\xff\xff\xff\xff";
    EXPECT_EQ(send(fd, hello.data(), hello.size(), MSG_NOSIGNAL), static_cast<ssize_t>(hello.size()));
    sockets.push_back(fd);
  }
  ExpectServesAndIsIdle();
  for (const int fd : sockets) close(fd);
  ExpectServesAndIsIdle();
  const double descriptors = Metric("process_open_fds");
  EXPECT_TRUE(BecomesTrue([&] { return Metric("process_open_fds") < 100; })) << descriptors;
}

}  // namespace
}  // namespace attendant
