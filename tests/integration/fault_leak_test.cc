// Faults one after the other, many times: what each one leaves behind adds up until it shows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "tests/integration/server_process.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using grpc::StatusCode;

class FaultLeakTest : public testing::Test {
 protected:
  FaultLeakTest()
      : server_({"--models=" ATTENDANT_SOURCE_DIR "/models", "--listen=127.0.0.1:0", "--metrics=127.0.0.1:0",
                 "--kv-cache-bytes=64MiB", "--log-level=error"}) {
    const std::string cat = ATTENDANT_SOURCE_DIR "/docs/samples/cat.jpg";
    std::ifstream in(cat, std::ios::binary);
    picture_.assign(std::istreambuf_iterator<char>(in), {});
  }
  double Metric(const std::string& name) const {
    return MetricIn(ScrapeMetrics(server_.MetricsPort()), name);
  }
  // The server's, without those of this test's connections of the moment.
  ptrdiff_t Count(const char* what) const {
    const std::filesystem::directory_iterator all(absl::StrCat("/proc/", server_.pid(), "/", what));
    return std::distance(begin(all), end(all));
  }
  static StatusCode Translate(const std::shared_ptr<grpc::Channel>& channel,
                              const v1::TranslateRequest& request, std::string* answer = nullptr,
                              int timeout_ms = 60'000) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
    v1::TranslateResponse response;
    const grpc::Status status =
        v1::TranslationService::NewStub(channel)->Translate(&context, request, &response);
    if (answer != nullptr) *answer = Essence(response);
    return status.error_code();
  }
  std::string GoodAnswer() const {
    std::string answer;
    EXPECT_EQ(Translate(channel_, Request("Where did you buy this book?"), &answer), StatusCode::OK);
    return answer;
  }
  StatusCode Classify(const std::string& picture) const {
    v1::ClassifyImageRequest request;
    request.add_images(picture);
    v1::ClassifyImageResponse response;
    grpc::ClientContext context;
    return v1::ClassificationService::NewStub(channel_)
        ->ClassifyImage(&context, request, &response)
        .error_code();
  }

  void WaitUntilIdle() const {
    EXPECT_TRUE(BecomesTrue([&] {
      return Metric("attendant_requests_in_flight") == 0 && Metric("attendant_running_sentences") == 0 &&
             Metric("attendant_queue_depth") == 0;
    }));
  }

  void RefusedRequests() const {
    EXPECT_EQ(Translate(channel_, Request(std::string(5 << 20, 'a'))), StatusCode::RESOURCE_EXHAUSTED);
    v1::TranslateRequest many;
    for (int i = 0; i < 1000; ++i) many.add_contents("a");
    EXPECT_EQ(Translate(channel_, many), StatusCode::INVALID_ARGUMENT);
    v1::TranslateRequest request = Request("Hello.");
    request.set_model("../translate-en-de");
    EXPECT_EQ(Translate(channel_, request), StatusCode::INVALID_ARGUMENT);
    request.set_model("nobody");
    EXPECT_EQ(Translate(channel_, request), StatusCode::NOT_FOUND);
    request = Request("Hello.");
    request.mutable_options()->set_beam_size(1000);
    EXPECT_EQ(Translate(channel_, request), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(Classify(picture_.substr(0, picture_.size() / 2)), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(Classify("GIF89a"), StatusCode::INVALID_ARGUMENT);
  }
  void StoppedRequests() const {
    WaitUntilIdle();  // Or they are refused as too late.
    const std::string text = LongText(300);
    EXPECT_EQ(Translate(channel_, Request(text), nullptr, 60), StatusCode::DEADLINE_EXCEEDED);
    WaitUntilIdle();
    grpc::ClientContext context;
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      context.TryCancel();
    });
    v1::TranslateResponse response;
    const grpc::Status status =
        v1::TranslationService::NewStub(channel_)->Translate(&context, Request(text), &response);
    EXPECT_EQ(status.error_code(), StatusCode::CANCELLED) << status.error_message();
    canceller.join();
  }
  // A connection of its own that ends without a word while its call runs.
  void LostConnection() const {
    const auto channel = Connect(server_.GrpcPort());
    const auto stub = v1::TranslationService::NewStub(channel);
    grpc::ClientContext context;
    const auto reader = stub->TranslateStream(&context, Request(LongText(300)));
    v1::TranslateStreamResponse event;
    EXPECT_TRUE(reader->Read(&event));
    context.TryCancel();
  }

  ServerProcess server_;
  std::shared_ptr<grpc::Channel> channel_ = Connect(server_.GrpcPort());
  std::string picture_;
};

TEST_F(FaultLeakTest, NoFaultLeavesADescriptorOrAThread) {
  ASSERT_TRUE(WaitUntilServing(channel_)) << server_.Stderr();
  const std::string expected = GoodAnswer();
  const auto round = [&] {
    RefusedRequests();
    StoppedRequests();
    LostConnection();
    EXPECT_EQ(GoodAnswer(), expected);
    EXPECT_EQ(Classify(picture_), StatusCode::OK);
  };
  for (int i = 0; i < 3; ++i) round();
  WaitUntilIdle();
  const ptrdiff_t descriptors = Count("fd"), threads = Count("task");
  for (int i = 0; i < 20; ++i) round();
  WaitUntilIdle();
  EXPECT_TRUE(BecomesTrue([&] { return Count("fd") <= descriptors; }))
      << Count("fd") << " descriptors, before " << descriptors;
  EXPECT_LE(Count("task"), threads + 8);  // gRPC's own pool comes and goes.
  EXPECT_TRUE(WaitUntilServing(channel_));
}

TEST_F(FaultLeakTest, TextsOfNulsAndOfMarksAreAnsweredAndTheCutIsTold) {
  ASSERT_TRUE(WaitUntilServing(channel_)) << server_.Stderr();
  std::string marks = "a";
  for (int i = 0; i < 100'000; ++i) marks += "\u0301";
  std::string words;
  for (int i = 0; i < 10'000; ++i) words += "Haus ";
  v1::ClassifyTextRequest request;
  for (const std::string& text : {std::string("Wo ist\0das Haus?", 16), marks, words})
    request.add_texts(text);
  v1::ClassifyTextResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      v1::ClassificationService::NewStub(channel_)->ClassifyText(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_FALSE(response.classifications(0).truncated());
  EXPECT_EQ(response.classifications(0).labels(0).name(), "de");
  EXPECT_TRUE(response.classifications(2).truncated());
  std::string answer;
  EXPECT_EQ(Translate(channel_, Request("Hello." + marks + std::string("\0World.", 7)), &answer),
            StatusCode::OK);
  EXPECT_FALSE(GoodAnswer().empty());
}

}  // namespace
}  // namespace attendant
