#include "client/translate_pipeline.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <random>

#include "client/connection.h"

namespace attendant::client {
namespace {

// A service that fails as its texts say, for what a real server does not do on demand. "busy N ...": full for
// the first N attempts; "bad ...": an error of this text; "gone": unavailable. Otherwise the text in
// capitals.
class ScriptedService final : public v1::TranslationService::Service {
 public:
  grpc::Status Translate(grpc::ServerContext* context, const v1::TranslateRequest* request,
                         v1::TranslateResponse* response) override {
    ++num_calls;
    for (const std::string& text : request->contents()) {
      if (text.rfind("busy", 0) == 0 && CountAttempt(text) <= text[5] - '0') {
        context->AddTrailingMetadata("retry-after-ms", "1");
        return {grpc::StatusCode::RESOURCE_EXHAUSTED, "full"};
      }
      if (text == "big")
        return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too large, and no use in trying again"};
      if (text.rfind("bad", 0) == 0) return {grpc::StatusCode::INVALID_ARGUMENT, "bad text"};
      if (text == "gone") return {grpc::StatusCode::UNAVAILABLE, "draining"};
      std::string upper = text;
      for (char& c : upper) c = static_cast<char>(std::toupper(c));
      response->add_translations()->set_translated_text(upper);
    }
    return grpc::Status::OK;
  }

  std::atomic<int> num_calls{0};

 private:
  int CountAttempt(const std::string& text) {
    const std::lock_guard lock(mutex_);
    return ++attempts_[text];
  }
  std::mutex mutex_;
  std::map<std::string, int> attempts_;
};

class TranslatePipelineTest : public ::testing::Test {
 protected:
  TranslatePipelineTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    channel_ = *Connect({.server = "127.0.0.1:" + std::to_string(port_)});
  }

  // Texts and, for failures, codes, in the order of delivery.
  std::vector<std::string> Run(std::vector<std::string> texts, PipelineOptions options) {
    TranslateCalls calls(channel_, {.max_retries = 3});
    TranslatePipeline pipeline(calls, std::move(options));
    std::vector<std::string> results;
    status_ = pipeline.Run(*MakeArgumentSource(std::move(texts)), [&results](const TextResult& result) {
      results.push_back(result.status.ok() ? result.translation.translated_text()
                                           : absl::StatusCodeToString(result.status.code()));
      return absl::OkStatus();
    });
    return results;
  }

  int port_ = 0;
  ScriptedService service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  absl::Status status_;
};

using ::testing::ElementsAre;

TEST_F(TranslatePipelineTest, KeepsTheOrderOfManyTexts) {
  std::vector<std::string> texts;
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    const bool is_late = i % 97 == 0;  // Comes back after a pause, long after its neighbours.
    texts.push_back((is_late ? "busy 1 t" : "t") + std::to_string(i));
    expected.push_back((is_late ? "BUSY 1 T" : "T") + std::to_string(i));
  }
  EXPECT_EQ(Run(texts, {.max_calls = 16, .max_batch = 3}), expected);
  EXPECT_TRUE(status_.ok()) << status_;
}

TEST_F(TranslatePipelineTest, BatchesShareCalls) {
  Run(std::vector<std::string>(100, "a"), {.max_calls = 4, .max_batch = 10});
  EXPECT_EQ(service_.num_calls, 10);
}

TEST_F(TranslatePipelineTest, ABadTextFailsAlone) {
  EXPECT_THAT(Run({"a", "bad", "c"}, {.max_batch = 8}), ElementsAre("A", "INVALID_ARGUMENT", "C"));
}

TEST_F(TranslatePipelineTest, RetriesUpToTheLimit) {
  EXPECT_THAT(Run({"busy 2"}, {}), ElementsAre("BUSY 2"));
  EXPECT_THAT(Run({"busy 3 x"}, {}), ElementsAre("BUSY 3 X"));
  EXPECT_THAT(Run({"busy 4 y"}, {}), ElementsAre("RESOURCE_EXHAUSTED"));
}

TEST_F(TranslatePipelineTest, WithoutAHintThereIsNoRetry) {
  EXPECT_THAT(Run({"big"}, {}), ElementsAre("RESOURCE_EXHAUSTED"));
  EXPECT_EQ(service_.num_calls, 1);
}

TEST_F(TranslatePipelineTest, AnUnavailableServerIsTriedAFewTimes) {
  EXPECT_THAT(Run({"gone"}, {}), ElementsAre("UNAVAILABLE"));
  EXPECT_EQ(service_.num_calls, kMinUnavailableTries);
}

TEST_F(TranslatePipelineTest, AFailingDeliveryEndsTheRun) {
  TranslateCalls calls(channel_, {});
  TranslatePipeline pipeline(calls, {.max_calls = 2, .max_batch = 1});
  int delivered = 0;
  const auto source = MakeArgumentSource(std::vector<std::string>(500, "a"));
  const absl::Status status = pipeline.Run(*source, [&delivered](const TextResult&) {
    return ++delivered == 5 ? absl::UnavailableError("pipe") : absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(delivered, 5);
}

TEST_F(TranslatePipelineTest, StopDeliversAPrefixAndEnds) {
  TranslateCalls calls(channel_, {});
  TranslatePipeline pipeline(calls, {.max_calls = 2, .max_batch = 1});
  std::vector<uint64_t> numbers;
  const auto source = MakeArgumentSource(std::vector<std::string>(500, "a"));
  const absl::Status status = pipeline.Run(*source, [&](const TextResult& result) {
    numbers.push_back(result.source.number);
    if (numbers.size() == 3) pipeline.Stop();
    return absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  ASSERT_LT(numbers.size(), 500U);
  for (size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], i + 1);
}

TEST_F(TranslatePipelineTest, TheChannelMayEndRightAfterTheLastCall) {
  // gRPC aborts when the last reference to a channel goes on one of its own threads; many rounds, because it
  // is a race.
  const std::string target = "127.0.0.1:" + std::to_string(port_);
  for (int round = 0; round < 200; ++round) {
    channel_.reset();
    channel_ = *Connect({.server = target});
    TranslateCalls calls(channel_, {});
    channel_.reset();
    std::promise<void> done;
    v1::TranslateRequest request;
    for (int i = 0; i < 50; ++i) request.add_contents("text");
    calls.Start(std::move(request),
                [&done](const absl::Status&, const v1::TranslateResponse&) { done.set_value(); });
    done.get_future().wait();
  }
}

TEST(RetryDelayTest, GrowsFromTheHintToTheLimit) {
  EXPECT_EQ(RetryDelay(1, std::nullopt, 0), absl::Milliseconds(50));
  EXPECT_EQ(RetryDelay(3, std::nullopt, 0), absl::Milliseconds(200));
  EXPECT_EQ(RetryDelay(1, 300, 0), absl::Milliseconds(300));
  EXPECT_EQ(RetryDelay(99, 1, 0), absl::Seconds(5));
  EXPECT_EQ(RetryDelay(1, 1'000'000'000, 0), absl::Seconds(5));
  EXPECT_EQ(RetryDelay(1, std::nullopt, 1), absl::Milliseconds(62.5));
}

TEST(NormalizeServerTest, KnowsTheCommonForms) {
  EXPECT_EQ(*NormalizeServer("host"), "host:8500");
  EXPECT_EQ(*NormalizeServer("host:1"), "host:1");
  EXPECT_EQ(*NormalizeServer("[::1]"), "[::1]:8500");
  EXPECT_EQ(*NormalizeServer("[::1]:65535"), "[::1]:65535");
  EXPECT_EQ(*NormalizeServer("unix:/run/attendant.sock"), "unix:/run/attendant.sock");
  for (const char* bad : {"", "host:0", "host:65536", "host:", ":8500", "host:x", "a b", "http://host"}) {
    EXPECT_FALSE(NormalizeServer(bad).ok()) << bad;
  }
}

TEST(ConnectTest, ASilentPortIsUnreachable) {
  EXPECT_TRUE(absl::IsUnavailable(Connect({.server = "127.0.0.1:1"}).status()));
}

}  // namespace
}  // namespace attendant::client
