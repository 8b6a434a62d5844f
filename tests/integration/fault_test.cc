#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

// After each fault a good request gets the answer that it always gets.
class FaultTest : public testing::Test {
 protected:
  void TearDown() override { ExpectGoodAnswer(server_); }

  grpc::Status StatusOf(const v1::TranslateRequest& request) {
    v1::TranslateResponse response;
    return server_.Translate(request, response);
  }
  // Nothing runs, waits or holds a block.
  bool IsIdle() {
    return server_.Metric("attendant_running_sentences") == 0 &&
           server_.Metric("attendant_queue_depth") == 0 &&
           server_.Metric("attendant_kv_blocks", "state=\"used\"") == 0;
  }

  TestServer& server_ = TestServer::Shared();
};

TEST_F(FaultTest, DeadlineStopsTheWork) {
  const double before = server_.Metric("attendant_expired_total");
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));  // Of many that it takes.
  v1::TranslateResponse response;
  const grpc::Status status = server_.Translation()->Translate(&context, Request(LongText(3000)), &response);
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(server_.Eventually([&] { return IsIdle(); }));
  EXPECT_TRUE(server_.Eventually(
      [&] { return server_.Metric("attendant_requests_total", "code=\"DEADLINE_EXCEEDED\"") >= 1; }));
  EXPECT_GT(server_.Metric("attendant_expired_total"), before);
}

TEST_F(FaultTest, CancellingFreesRowsAndBlocks) {
  const double before = server_.Metric("attendant_cancelled_total");
  grpc::ClientContext context;
  std::thread client([&] {
    v1::TranslateResponse response;
    const grpc::Status status =
        server_.Translation()->Translate(&context, Request(LongText(3000)), &response);
    EXPECT_EQ(status.error_code(), StatusCode::CANCELLED);
  });
  EXPECT_TRUE(server_.Eventually([&] { return server_.Metric("attendant_running_sentences") > 0; }));
  EXPECT_GT(server_.Metric("attendant_kv_blocks", "state=\"used\""), 0);
  context.TryCancel();
  client.join();
  EXPECT_TRUE(server_.Eventually([&] { return IsIdle(); }));
  EXPECT_GT(server_.Metric("attendant_cancelled_total"), before);
  EXPECT_TRUE(server_.Eventually([&] { return server_.Metric("attendant_requests_in_flight") == 0; }));
}

TEST_F(FaultTest, FullQueueRefusesAtOnceAndSaysWhenToComeAgain) {
  constexpr int kQueue = 40;
  config::ServerConfig config = TestConfig();
  config.mutable_scheduler()->set_max_queue(kQueue);
  config.mutable_scheduler()->set_max_running(1);
  config.mutable_engine()->set_num_workers(1);
  const TestServer small(config);
  v1::TranslateRequest request;
  for (int i = 0; i < kQueue; ++i)
    request.add_contents("I would like to talk about the long summer that we spent near the sea.");
  request.mutable_options()->set_beam_size(8);
  std::thread first([&] {  // Fills the queue.
    v1::TranslateResponse response;
    EXPECT_TRUE(small.Translate(request, response).ok());
  });
  EXPECT_TRUE(small.Eventually([&] { return small.Metric("attendant_queue_depth") > kQueue / 2; }));
  grpc::ClientContext context;
  v1::TranslateResponse response;
  const grpc::Status status = small.Translation()->Translate(&context, request, &response);
  first.join();
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto hint = trailing.find("retry-after-ms");
  ASSERT_NE(hint, trailing.end());
  const int after_ms = std::stoi(std::string(hint->second.data(), hint->second.size()));
  EXPECT_GE(after_ms, 50);
  EXPECT_LE(after_ms, 10'000);
  EXPECT_EQ(small.Metric("attendant_rejected_total", "reason=\"queue_full\",model=\"translate-en-de\""), 1);
  ExpectGoodAnswer(small);
}

TEST_F(FaultTest, CallsOfMoreTextsThanCanWaitAreNotToldToTryAgain) {
  constexpr int kQueue = 4;
  config::ServerConfig config = TestConfig();
  config.mutable_scheduler()->set_max_queue(kQueue);
  const TestServer small(config);
  v1::TranslateRequest request;
  v1::TranslateResponse response;
  for (int i = 0; i < kQueue - 1; ++i) request.add_contents("Hello.");
  EXPECT_TRUE(small.Translate(request, response).ok());
  request.add_contents("Hello.");
  EXPECT_TRUE(small.Translate(request, response).ok());
  request.add_contents("Hello.");
  const grpc::Status status = small.Translate(request, response);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("contents: 5 inputs are more than the 4"));
  EXPECT_EQ(small.Metric("attendant_rejected_total", "reason=\"invalid\",model=\"translate-en-de\""), 1);
  ExpectGoodAnswer(small);
}

TEST_F(FaultTest, AnswerOfManyTextsBeyondItsLimitIsRefused) {
  config::ServerConfig config = TestConfig();
  config.mutable_limits()->set_max_answer_bytes(64 << 10);
  const TestServer small(config);
  v1::TranslateRequest request = Request(LongText(8));  // 20 KB or so with its alignments.
  request.mutable_options()->set_return_alignment(true);
  v1::TranslateResponse response;
  EXPECT_TRUE(small.Translate(request, response).ok());
  for (int i = 0; i < 9; ++i) request.add_contents(request.contents(0));
  const grpc::Status status = small.Translate(request, response);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("larger than 65536 bytes"));
  EXPECT_EQ(small.Metric("attendant_rejected_total", "reason=\"too_large\""), 1);
  ExpectGoodAnswer(small);
}

TEST_F(FaultTest, MessagesOverTheLimitAreRefusedAlsoCompressed) {
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP}) {
    v1::TranslateRequest request;
    for (int i = 0; i < 5; ++i) request.add_contents(std::string(1 << 20, ' '));
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    v1::TranslateResponse response;
    const grpc::Status status = server_.Translation()->Translate(&context, request, &response);
    EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << algorithm << status.error_message();
  }
}

TEST_F(FaultTest, GzipBombCostsNoMoreThanTheLimit) {
  const double before = server_.Metric("process_resident_memory_bytes");
  v1::TranslateRequest request;
  request.add_contents(std::string(200 << 20, ' '));  // 200 KB once compressed.
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::TranslateResponse response;
  EXPECT_EQ(server_.Translation()->Translate(&context, request, &response).error_code(),
            StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(server_.Metric("attendant_rejected_total", "reason=\"too_large\"") >= 1, true);
  // The request itself, which this process made, and its copy are in the figure: no third one is.
  EXPECT_LT(server_.Metric("process_resident_memory_bytes") - before, 500e6);
}

TEST_F(FaultTest, TooManyOrTooLongContentsNameTheLimit) {
  v1::TranslateRequest request;
  EXPECT_THAT(StatusOf(request).error_message(), HasSubstr("contents: is empty"));
  for (int i = 0; i < 256; ++i) request.add_contents("");
  EXPECT_TRUE(StatusOf(request).ok());
  request.add_contents("");
  EXPECT_EQ(StatusOf(request).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(StatusOf(request).error_message(), HasSubstr("257 inputs"));

  const std::string blanks(1 << 20, ' ');
  EXPECT_TRUE(StatusOf(Request(blanks)).ok());
  EXPECT_THAT(StatusOf(Request(blanks + " ")).error_message(), HasSubstr("contents[0]: 1048577 bytes"));
  EXPECT_GE(server_.Metric("attendant_rejected_total", "reason=\"text\""), 1);
}

struct BadOption {
  const char* field;
  std::function<void(v1::TranslationOptions&)> set;
};

TEST_F(FaultTest, EachBadOptionIsNamed) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<BadOption> bad = {
      {"beam_size", [](auto& o) { o.set_beam_size(0); }},
      {"beam_size", [](auto& o) { o.set_beam_size(33); }},
      {"num_hypotheses", [](auto& o) { o.set_num_hypotheses(0); }},
      {"num_hypotheses", [](auto& o) { o.set_beam_size(2), o.set_num_hypotheses(3); }},
      {"patience", [](auto& o) { o.set_patience(-1); }},
      {"length_penalty", [=](auto& o) { o.set_length_penalty(nan); }},
      {"coverage_penalty", [](auto& o) { o.set_coverage_penalty(-1); }},
      {"repetition_penalty", [](auto& o) { o.set_repetition_penalty(0); }},
      {"no_repeat_ngram_size", [](auto& o) { o.set_no_repeat_ngram_size(-1); }},
      {"min_length", [](auto& o) { o.set_min_length(-1); }},
      {"min_length", [](auto& o) { o.set_min_length(20), o.set_max_length(10); }},
      {"max_length", [](auto& o) { o.set_max_length(0); }},
      {"max_length", [](auto& o) { o.set_max_length(std::numeric_limits<int32_t>::max()); }},
      {"sample", [](auto& o) { o.set_sample(true), o.set_beam_size(4); }},
      {"temperature", [](auto& o) { o.set_sample(true), o.set_temperature(0); }},
      {"top_k", [](auto& o) { o.set_top_k(-1); }},
      {"top_p", [](auto& o) { o.set_top_p(0); }},
      {"top_p", [](auto& o) { o.set_top_p(1.5F); }},
      {"repetition_guard_tokens", [](auto& o) { o.set_repetition_guard_tokens(-1); }},
      {"target_prefix", [](auto& o) { o.set_target_prefix(std::string(4097, 'a')); }},
      {"suppress_sequences", [](auto& o) { o.add_suppress_sequences(""); }},
      {"end_token", [](auto& o) { o.set_end_token("no such piece in any vocabulary"); }},
      {"split", [](auto& o) { o.set_split(static_cast<v1::TranslationOptions::Split>(9)); }},
  };
  for (const BadOption& option : bad) {
    v1::TranslateRequest request = Request("Hello.");
    option.set(*request.mutable_options());
    const grpc::Status status = StatusOf(request);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT)
        << option.field << " " << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(option.field));
  }
  v1::TranslateRequest request = Request("Hello.");
  request.set_priority(11);
  EXPECT_THAT(StatusOf(request).error_message(), HasSubstr("priority"));
}

TEST_F(FaultTest, ModelNamesThatCouldBePathsAreInvalid) {
  for (const std::string& name : {std::string("../translate-en-de"), std::string("/etc/passwd"),
                                  std::string("a\0b", 3), std::string(65, 'a'), std::string(".x")}) {
    v1::TranslateRequest request = Request("Hello.");
    request.set_model(name);
    EXPECT_EQ(StatusOf(request).error_code(), StatusCode::INVALID_ARGUMENT) << name;
  }
}

TEST_F(FaultTest, MadeUpModelNamesLeaveTheLabelSetAsItIs) {
  const auto ask = [&](int i) {
    v1::TranslateRequest request = Request("Hello.");
    request.set_model(absl::StrCat("made-up-", i));
    EXPECT_EQ(StatusOf(request).error_code(), StatusCode::NOT_FOUND);
  };
  const auto num_series = [&] {
    const std::string scrape = server_.Scrape();
    return std::count(scrape.begin(), scrape.end(), '\n');
  };
  const auto num_counted = [&] {
    return server_.Metric("attendant_requests_total", "model=\"unknown\",code=\"NOT_FOUND\"");
  };
  const double earlier = num_counted();
  ask(0);
  EXPECT_TRUE(server_.Eventually([&] { return num_counted() == earlier + 1; }));
  const auto before = num_series();
  for (int i = 1; i <= 1000; ++i) ask(i);
  EXPECT_TRUE(server_.Eventually([&] { return num_counted() == earlier + 1001; }));
  EXPECT_EQ(num_series(), before);
}

TEST_F(FaultTest, FailedModelSaysWhyAndTheOtherServesOn) {
  config::ServerConfig config = TestConfig();
  config::ModelConfig& broken = *config.add_model();
  broken.set_name("broken");
  broken.set_path("/nowhere");
  const TestServer server(config);
  v1::TranslateRequest request = Request("Hello.");
  request.set_model("broken");
  v1::TranslateResponse response;
  const grpc::Status status = server.Translate(request, response);
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("model broken failed to load: "));
  request.set_model(kModel);
  EXPECT_TRUE(server.Translate(request, response).ok());
  EXPECT_EQ(server.Metric("attendant_model_load_failures_total", "model=\"broken\""), 1);
}

}  // namespace
}  // namespace attendant
