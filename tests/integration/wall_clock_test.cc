// The wall clock may jump; nothing that the server promises depends on it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/server_process.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

TEST(WallClockTest, OnlyTheseFilesReadIt) {
  const std::map<std::string, std::string> expected = {
      {"server/auth/identity.cc", "when certificates expire"},
      {"server/http/gateway.cc",
       "OpenAI's `created`; and set_deadline, which gRPC makes steady when the call begins"},
      {"server/inference_totals.cc", "KServe's last_inference"},
      {"server/logging.cc", "the time of a line of the log"},
      {"server/server.cc", "Shutdown, which gRPC makes steady at once"},
  };
  const std::regex wall_clock(
      R"(system_clock|high_resolution_clock|CLOCK_REALTIME|gettimeofday|absl::Now|\btime\((nullptr|NULL|0)\)|utc_clock)");
  std::map<std::string, std::string> found;
  for (const char* room : {"engine", "server"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(ATTENDANT_SOURCE_DIR) / room)) {
      if (entry.path().extension() != ".cc" && entry.path().extension() != ".h") continue;
      std::ifstream in(entry.path());
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      const std::string name = fs::relative(entry.path(), ATTENDANT_SOURCE_DIR);
      if (std::regex_search(text, wall_clock))
        found[name] = expected.count(name) > 0 ? expected.at(name) : "?";
    }
  }
  EXPECT_EQ(found, expected);
}

#ifdef ATTENDANT_WALL_CLOCK_JUMP_LIBRARY

// The hours that the lines of a log were written in.
std::set<std::string> LogHours(const std::string& log) {
  const std::regex hour(R"(\d{4}-\d\d-\d\dT\d\d)");
  std::set<std::string> hours;
  for (std::sregex_iterator at(log.begin(), log.end(), hour), end; at != end; ++at) hours.insert(at->str());
  return hours;
}

// The real server with its wall clock in our hands.
class WallClockJumpTest : public testing::Test {
 protected:
  void SetUp() override {
    JumpTo(0);
    setenv("LD_PRELOAD", ATTENDANT_WALL_CLOCK_JUMP_LIBRARY, 1);
    setenv("ATTENDANT_WALL_CLOCK_JUMP", OffsetFile().c_str(), 1);
    server_ = std::make_unique<ServerProcess>(std::vector<std::string>{
        "--model=" + std::string(kModel) + "=" ATTENDANT_SOURCE_DIR "/models/" + kModel,
        "--listen=127.0.0.1:0", "--metrics=127.0.0.1:0", "--kv-cache-bytes=64MiB", "--log-level=debug"});
    unsetenv("LD_PRELOAD");
    ASSERT_TRUE(WaitUntilServing(Connect(server_->GrpcPort()))) << server_->Stderr();
  }
  void JumpTo(int64_t seconds) const {
    std::fstream out(OffsetFile(),
                     std::ios::binary | std::ios::in | std::ios::out);  // In place: it is mapped.
    if (!out) out.open(OffsetFile(), std::ios::binary | std::ios::out);
    out.write(reinterpret_cast<const char*>(&seconds), sizeof(seconds));
  }
  std::string OffsetFile() const { return dir_.path() / "offset"; }
  double Metric(const std::string& name) const {
    return MetricIn(ScrapeMetrics(server_->MetricsPort()), name);
  }
  // With a deadline of two minutes, which an hour would pass by far.
  grpc::Status Ask(const std::string& text) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
    v1::TranslateResponse response;
    return v1::TranslationService::NewStub(Connect(server_->GrpcPort()))
        ->Translate(&context, Request(text), &response);
  }

  TempDir dir_;
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(WallClockJumpTest, AnHourEitherWayExpiresNothing) {
  size_t hours = 1;
  for (const int64_t jump : {3600, -3600}) {
    JumpTo(0);
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        const grpc::Status status = Ask(LongText(60));
        EXPECT_TRUE(status.ok()) << jump << ": " << status.error_message();
      });
    }
    EXPECT_TRUE(BecomesTrue([&] { return Metric("attendant_running_sentences") > 0; }));
    JumpTo(jump);
    for (std::thread& client : clients) client.join();
    // The jump is real: the log's times show it, as soon as Abseil's clock looks at the system's again.
    hours += 1;
    EXPECT_TRUE(BecomesTrue([&] {
      EXPECT_TRUE(Ask("Good morning.").ok()) << "a call that began after the jump";
      return LogHours(server_->Stderr()).size() >= hours;
    }));
  }
  EXPECT_EQ(Metric("attendant_expired_total"), 0);
  EXPECT_EQ(Metric("attendant_cancelled_total"), 0);
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
}

#endif

}  // namespace
}  // namespace attendant
