#include "server/http/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/server/http/raw_http.h"

namespace attendant {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

// Answers as the first text says: the number of a code, or "wait" until the call is cancelled.
class ScriptedEmbedding final : public v1::EmbeddingService::CallbackService {
 public:
  grpc::ServerUnaryReactor* EmbedText(grpc::CallbackServerContext* context,
                                      const v1::EmbedTextRequest* request,
                                      v1::EmbedTextResponse* response) override {
    const auto& metadata = context->client_metadata();
    const auto key = metadata.find("authorization");
    response->set_model(key == metadata.end() ? "no key"
                                              : std::string(key->second.data(), key->second.size()));
    if (request->texts(0) == "wait") return new WaitForCancel(*this);
    auto* reactor = context->DefaultReactor();
    const int code = std::stoi(request->texts(0));
    if (code == StatusCode::RESOURCE_EXHAUSTED) context->AddTrailingMetadata("retry-after-ms", "2500");
    reactor->Finish(code == 0 ? grpc::Status::OK : grpc::Status(static_cast<StatusCode>(code), "so it is"));
    return reactor;
  }

  std::atomic<int> waiting = 0;
  std::atomic<int> cancelled = 0;

 private:
  class WaitForCancel final : public grpc::ServerUnaryReactor {
   public:
    explicit WaitForCancel(ScriptedEmbedding& service) : service_(service) { ++service_.waiting; }

   private:
    void OnCancel() override {
      ++service_.cancelled;
      Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }
    ScriptedEmbedding& service_;
  };
};

// Holds whoever starts a call until it is told to let go.
class Brake final : public grpc::experimental::Interceptor {
 public:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_on = false;  // Guarded by mutex, as is ...
    int held = 0;
    void Set(bool on) {
      const std::lock_guard lock(mutex);
      is_on = on;
      changed.notify_all();
    }
    int num_held() {
      const std::lock_guard lock(mutex);
      return held;
    }
  };
  struct Factory final : public grpc::experimental::ClientInterceptorFactoryInterface {
    explicit Factory(State& s) : state(s) {}
    grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
      return new Brake(state);
    }
    State& state;
  };
  explicit Brake(State& state) : state_(state) {}
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      std::unique_lock lock(state_.mutex);
      ++state_.held;
      state_.changed.wait(lock, [this] { return !state_.is_on; });
      --state_.held;
    }
    methods->Proceed();
  }

 private:
  State& state_;
};

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    grpc_ = builder.BuildAndStart();
    HttpServer::Options options;
    options.host = "127.0.0.1";
    std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
    interceptors.push_back(std::make_unique<Brake::Factory>(brake_));
    auto gateway = HttpGateway::Start(
        options, grpc_->experimental().InProcessChannelWithInterceptors({}, std::move(interceptors)));
    EXPECT_TRUE(gateway.ok()) << gateway.status();
    gateway_ = *std::move(gateway);
  }
  RawResponse Ask(const std::string& text, const std::string& headers = "") const {
    return AskHttp(gateway_->port(), "POST", "/v1/embeddings", "{\"input\":\"" + text + "\"}", headers);
  }

  ScriptedEmbedding service_;
  Brake::State brake_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<HttpGateway> gateway_;
};

TEST_F(GatewayTest, GrpcCodesBecomeHttpStatuses) {
  const std::pair<StatusCode, int> kPairs[] = {
      {StatusCode::OK, 200},
      {StatusCode::CANCELLED, 499},
      {StatusCode::UNKNOWN, 500},
      {StatusCode::INVALID_ARGUMENT, 400},
      {StatusCode::DEADLINE_EXCEEDED, 504},
      {StatusCode::NOT_FOUND, 404},
      {StatusCode::ALREADY_EXISTS, 409},
      {StatusCode::PERMISSION_DENIED, 403},
      {StatusCode::RESOURCE_EXHAUSTED, 429},
      {StatusCode::FAILED_PRECONDITION, 400},
      {StatusCode::ABORTED, 409},
      {StatusCode::OUT_OF_RANGE, 400},
      {StatusCode::UNIMPLEMENTED, 501},
      {StatusCode::INTERNAL, 500},
      {StatusCode::UNAVAILABLE, 503},
      {StatusCode::DATA_LOSS, 500},
      {StatusCode::UNAUTHENTICATED, 401},
  };
  for (const auto& [code, status] : kPairs) {
    const RawResponse response = Ask(absl::StrCat(static_cast<int>(code)));
    EXPECT_EQ(response.status, status) << code;
    EXPECT_EQ(absl::StrContains(response.body, "\"message\":\"so it is\""), status != 200) << code;
  }
}

TEST_F(GatewayTest, TheRetryHintGoesAlong) {
  EXPECT_EQ(RawHttpConnection::Header(Ask("8"), "Retry-After"), "3");
  EXPECT_EQ(RawHttpConnection::Header(Ask("14"), "Retry-After"), "");
}

TEST_F(GatewayTest, TheKeyGoesAlong) {
  EXPECT_THAT(Ask("0", "Authorization: Bearer secret\r\n").body, HasSubstr("\"model\":\"Bearer secret\""));
  EXPECT_THAT(Ask("0").body, HasSubstr("\"model\":\"no key\""));
  EXPECT_EQ(Ask("0", "Authorization: Bearer \x01\r\n").status, 401);
  EXPECT_EQ(Ask("0", "Authorization: Bearer s\xc3\xbc\r\n").status, 401);
}

TEST_F(GatewayTest, TheDeadlineIsTheHeaders) {
  EXPECT_EQ(Ask("wait", "X-Request-Timeout-Ms: 50\r\n").status, 504);
  for (const char* wrong : {"0", "-1", "x", "86400001", "1.5"}) {
    EXPECT_EQ(Ask("0", absl::StrCat("X-Request-Timeout-Ms: ", wrong, "\r\n")).status, 400) << wrong;
  }
  EXPECT_EQ(Ask("0", "X-Request-Timeout-Ms: 86400000\r\n").status, 200);
}

TEST_F(GatewayTest, AClientThatGoesCancelsItsCall) {
  {
    RawHttpConnection connection(gateway_->port());
    connection.Send(HttpText("POST", "/v1/embeddings", R"({"input":"wait"})"));
    while (service_.waiting == 0) std::this_thread::yield();
  }
  while (service_.cancelled == 0) std::this_thread::yield();
  EXPECT_TRUE(gateway_->WaitIdle(std::chrono::seconds(10)));
}

TEST_F(GatewayTest, UnknownPathsAndMethodsAreRefused) {
  const int port = gateway_->port();
  EXPECT_EQ(AskHttp(port, "GET", "/").status, 404);
  EXPECT_EQ(AskHttp(port, "GET", "/").body, R"({"error":"there is no such path"})");
  EXPECT_EQ(AskHttp(port, "POST", "/v1/completions").status, 404);
  EXPECT_EQ(AskHttp(port, "GET", "/v1/embeddings/").status, 404);
  for (const char* path : {"/v1/embeddings", "/translate", "/detect"}) {
    const RawResponse response = AskHttp(port, "GET", path);
    EXPECT_EQ(response.status, 405) << path;
    EXPECT_EQ(RawHttpConnection::Header(response, "Allow"), "POST");
  }
  for (const char* path : {"/v1/models", "/languages", "/livez", "/readyz", "/health"}) {
    EXPECT_EQ(AskHttp(port, "DELETE", path).status, 405) << path;
  }
}

TEST_F(GatewayTest, AServiceThatIsNotThereIsAnErrorAndLivezIsAlwaysWell) {
  EXPECT_EQ(AskHttp(gateway_->port(), "GET", "/languages").status, 501);
  gateway_->CloseCalls();
  grpc_->Shutdown();
  EXPECT_EQ(Ask("0").status, 503);
  EXPECT_EQ(AskHttp(gateway_->port(), "GET", "/readyz").status, 503);
  EXPECT_EQ(AskHttp(gateway_->port(), "GET", "/livez").body, R"({"status":"ok"})");
}

TEST_F(GatewayTest, LivezAnswersAndTheQueueIsBoundedWhileNobodyReads) {
  brake_.Set(true);
  const std::string text = HttpText("POST", "/v1/embeddings", R"({"input":"0"})");
  std::vector<std::unique_ptr<RawHttpConnection>> connections;
  const auto send_one = [&] {
    connections.push_back(std::make_unique<RawHttpConnection>(gateway_->port()));
    connections.back()->Send(text);
  };
  constexpr int kThreads = 2, kWaiting = 256;
  for (int i = 0; i < kThreads; ++i) send_one();
  while (brake_.num_held() < kThreads) std::this_thread::yield();
  EXPECT_EQ(AskHttp(gateway_->port(), "GET", "/livez").status, 200);
  for (int i = 0; i < kWaiting; ++i) send_one();
  RawResponse refused;
  for (int i = 0; i < 1000 && refused.status != 503; ++i) {
    RawHttpConnection one_more(gateway_->port());
    one_more.Send(text);
    refused = one_more.Receive(1000);
  }
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(RawHttpConnection::Header(refused, "Retry-After"), "1");
  EXPECT_EQ(AskHttp(gateway_->port(), "GET", "/livez").status, 200);
  brake_.Set(false);
  for (const auto& connection : connections) EXPECT_EQ(connection->Receive().status, 200);
}

// Bodies that no client of good will sends.
TEST_F(GatewayTest, NonsenseIsABadRequest) {
  for (const std::string& body :
       {std::string(), std::string("{"), std::string(1 << 20, '['), std::string("{\"input\":\"\xff\"}"),
        std::string("\0\0\0", 3), std::string("{\"input\":{\"a\":1}}")}) {
    for (const char* path : {"/v1/embeddings", "/translate", "/detect"}) {
      EXPECT_EQ(AskHttp(gateway_->port(), "POST", path, body).status, 400) << path;
    }
  }
}

}  // namespace
}  // namespace attendant
