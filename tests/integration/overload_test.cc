#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

std::string LabelsOf(const std::string& reason) {
  return absl::StrCat("reason=\"", reason, "\",model=\"", kModel, "\"");
}

struct Ended {
  grpc::Status status;
  int retry_after_ms = 0;  // 0: no hint.
  Duration took{};
};

Ended AskWith(const TestServer& server, const v1::TranslateRequest& request, milliseconds timeout) {
  grpc::ClientContext context;
  if (timeout > milliseconds::zero()) context.set_deadline(std::chrono::system_clock::now() + timeout);
  v1::TranslateResponse response;
  Ended ended;
  const TimePoint begin = Clock::Real().Now();
  ended.status = server.Translation()->Translate(&context, request, &response);
  ended.took = Clock::Real().Now() - begin;
  const auto hint = context.GetServerTrailingMetadata().find("retry-after-ms");
  if (hint != context.GetServerTrailingMetadata().end()) {
    ended.retry_after_ms = std::stoi(std::string(hint->second.data(), hint->second.size()));
  }
  return ended;
}

// One worker that a long text keeps busy, after its throughput is known.
class BusyServer {
 public:
  explicit BusyServer(const std::function<void(config::ServerConfig&)>& change)
      : server_([&] {
          config::ServerConfig config = TestConfig();
          config.mutable_engine()->set_num_workers(1);
          config.mutable_scheduler()->set_max_running(16);
          change(config);
          return config;
        }()) {
    v1::TranslateResponse response;
    EXPECT_TRUE(server_.Translate(Request(LongText(60)), response).ok());
    busy_ = std::thread([this] {
      v1::TranslateResponse ignored;
      long_status_ = server_.Translate(Request(LongText(600)), ignored);
    });
    EXPECT_TRUE(server_.Eventually([&] { return server_.Metric("attendant_queue_depth") > 400; }));
  }
  ~BusyServer() {
    busy_.join();
    EXPECT_TRUE(long_status_.ok()) << long_status_.error_message();
    ExpectGoodAnswer(server_);
  }
  const TestServer& server() const { return server_; }

 private:
  TestServer server_;
  std::thread busy_;
  grpc::Status long_status_;
};

TEST(OverloadTest, WhatCannotBeInTimeIsRefusedAtOnce) {
  const BusyServer busy([](config::ServerConfig&) {});
  const Ended ended = AskWith(busy.server(), Request("Good morning."), milliseconds(400));
  EXPECT_EQ(ended.status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << ended.status.error_message();
  EXPECT_THAT(ended.status.error_message(), HasSubstr("the deadline is in"));
  EXPECT_GE(ended.retry_after_ms, 50);
  EXPECT_LT(ended.took, milliseconds(300));
  EXPECT_TRUE(busy.server().Eventually(
      [&] { return busy.server().Metric("attendant_shed_total", LabelsOf("late")) == 1; }));
  EXPECT_EQ(busy.server().Metric("attendant_rejected_total", LabelsOf("late")), 1);
}

TEST(OverloadTest, WhatWouldWaitTooLongIsRefusedWhateverItsDeadline) {
  const BusyServer busy(
      [](config::ServerConfig& config) { config.mutable_scheduler()->set_max_queue_ms(200); });
  const Ended ended = AskWith(busy.server(), Request("Good morning."), seconds(60));
  EXPECT_EQ(ended.status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << ended.status.error_message();
  EXPECT_THAT(ended.status.error_message(), HasSubstr("the queue is full"));
  EXPECT_GE(ended.retry_after_ms, 50);
  EXPECT_TRUE(busy.server().Eventually(
      [&] { return busy.server().Metric("attendant_shed_total", LabelsOf("queue_full")) == 1; }));
}

TEST(OverloadTest, StreamsAreRefusedAsWell) {
  const BusyServer busy(
      [](config::ServerConfig& config) { config.mutable_scheduler()->set_max_queue_ms(200); });
  grpc::ClientContext context;
  const auto reader = busy.server().Translation()->TranslateStream(&context, Request("Good morning."));
  v1::TranslateStreamResponse event;
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(context.GetServerTrailingMetadata().count("retry-after-ms"), 1u);
}

TEST(OverloadTest, CallWithoutDeadlineHasTheServers) {
  config::ServerConfig config = TestConfig();
  config.mutable_limits()->set_default_deadline_ms(500);
  const TestServer server(config);
  const Ended ended = AskWith(server, Request(LongText(5000)), milliseconds::zero());
  EXPECT_EQ(ended.status.error_code(), StatusCode::DEADLINE_EXCEEDED) << ended.status.error_message();
  EXPECT_TRUE(server.Eventually([&] {
    return server.Metric("attendant_running_sentences") == 0 && server.Metric("attendant_queue_depth") == 0;
  }));
  EXPECT_GT(server.Metric("attendant_expired_total"), 0);
  ExpectGoodAnswer(server);
}

TEST(OverloadTest, LongDeadlinesAreCut) {
  config::ServerConfig config = TestConfig();
  config.mutable_limits()->set_max_deadline_ms(500);
  const TestServer server(config);
  const Ended ended = AskWith(server, Request(LongText(5000)), seconds(60));
  EXPECT_EQ(ended.status.error_code(), StatusCode::DEADLINE_EXCEEDED) << ended.status.error_message();
  EXPECT_LT(ended.took, seconds(20));
  ExpectGoodAnswer(server);
}

TEST(OverloadTest, CallsAreRefusedWhileMemoryIsShort) {
  config::ServerConfig config = TestConfig();
  config.mutable_limits()->set_memory_high_percent(1);  // Of any machine more is in use.
  const TestServer server(config);                      // Its health does not depend on load.
  const Ended ended = AskWith(server, Request("Good morning."), seconds(30));
  EXPECT_EQ(ended.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(ended.status.error_message(), HasSubstr("memory"));
  EXPECT_EQ(ended.retry_after_ms, 1000);
  EXPECT_TRUE(
      server.Eventually([&] { return server.Metric("attendant_shed_total", "reason=\"memory\"") == 1; }));
  grpc::ClientContext context;
  v1::ListModelsResponse models;
  EXPECT_TRUE(server.Models()->ListModels(&context, {}, &models).ok());  // It costs nothing.
}

TEST(OverloadTest, ExpiredInTheQueueIsNeverExecuted) {
  const BusyServer busy([](config::ServerConfig&) {});
  const double before = busy.server().Metric("attendant_output_tokens_total");
  // Each is let in, as it may take its time, and given up by its client.
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      grpc::ClientContext context;
      v1::TranslateResponse response;
      std::thread cancel([&] {
        std::this_thread::sleep_for(milliseconds(200));
        context.TryCancel();
      });
      EXPECT_EQ(
          busy.server().Translation()->Translate(&context, Request("Good morning."), &response).error_code(),
          StatusCode::CANCELLED);
      cancel.join();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(busy.server().Eventually(
      [&] { return busy.server().Metric("attendant_cancelled_total", "stage=\"queue\"") == 8; }));
  EXPECT_EQ(busy.server().Metric("attendant_output_tokens_total"), before);
}

TEST(OverloadTest, HundredThousandMadeUpModelNamesLeaveTheLabelsAsTheyAre) {
  const TestServer server;
  const auto num_series = [&] {
    const std::string scrape = server.Scrape();
    return std::count(scrape.begin(), scrape.end(), '\n');
  };
  const auto ask = [&](int first, int count) {
    const auto stub = server.Translation();
    for (int i = first; i < first + count; ++i) {
      v1::TranslateRequest request = Request("Hello.");
      request.set_model(absl::StrCat("made-up-", i));
      grpc::ClientContext context;
      v1::TranslateResponse response;
      EXPECT_EQ(stub->Translate(&context, request, &response).error_code(), StatusCode::NOT_FOUND);
    }
  };
  ask(0, 1);
  EXPECT_TRUE(server.Eventually([&] { return server.Metric("attendant_requests_total", "NOT_FOUND") == 1; }));
  const auto before = num_series();
  constexpr int kThreads = 8, kEach = 12'500;
  std::vector<std::thread> clients;
  for (int i = 0; i < kThreads; ++i) clients.emplace_back([&, i] { ask(1 + i * kEach, kEach); });
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(server.Eventually(
      [&] { return server.Metric("attendant_requests_total", "NOT_FOUND") == kThreads * kEach + 1; }));
  EXPECT_EQ(num_series(), before);
  ExpectGoodAnswer(server);
}

}  // namespace
}  // namespace attendant
