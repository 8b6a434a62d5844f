// The HTTP gateway of a real server with the shipped models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "attendant/v1/embedding_service.grpc.pb.h"
#include "tests/integration/test_server.h"
#include "tests/server/http/raw_http.h"

namespace attendant {
namespace {

using nlohmann::json;
using testing::HasSubstr;

config::ServerConfig HttpConfig() {
  config::ServerConfig config = TestConfig();
  config.set_http_address("127.0.0.1:0");
  for (const char* name : {"embed-en-de", "classify-language"}) {
    config::ModelConfig& model = *config.add_model();
    model.set_name(name);
    model.set_path(absl::StrCat(ATTENDANT_SOURCE_DIR, "/models/", name));
  }
  return config;
}

class HttpTest : public testing::Test {
 protected:
  static TestServer& Shared() {
    static TestServer server(HttpConfig());
    return server;
  }
  static RawResponse Post(const std::string& path, const std::string& body, const std::string& headers = "",
                          TestServer& server = Shared()) {
    return AskHttp(server.server().http_port(), "POST", path, body, headers);
  }
  static RawResponse Get(const std::string& path) {
    return AskHttp(Shared().server().http_port(), "GET", path);
  }
};

TEST_F(HttpTest, EmbeddingsAreGrpcsBitForBit) {
  v1::EmbedTextRequest request;
  request.set_model("embed-en-de");
  request.add_texts("The weather is nice today.");
  request.add_texts("Wo ist der Bahnhof?");
  v1::EmbedTextResponse expected;
  grpc::ClientContext context;
  const auto stub = v1::EmbeddingService::NewStub(Shared().channel());
  ASSERT_TRUE(stub->EmbedText(&context, request, &expected).ok());

  const std::string input =
      R"("model":"embed-en-de","input":["The weather is nice today.","Wo ist der Bahnhof?"])";
  const json packed =
      json::parse(Post("/v1/embeddings", "{" + input + R"(,"encoding_format":"base64"})").body);
  const json plain = json::parse(Post("/v1/embeddings", "{" + input + "}").body);
  EXPECT_EQ(packed["usage"]["prompt_tokens"], expected.tokens());
  for (int i = 0; i < 2; ++i) {
    const auto& values = expected.embeddings(i).vector().values();
    const auto at = static_cast<size_t>(i);
    std::string bytes;
    ASSERT_TRUE(absl::Base64Unescape(packed["data"][at]["embedding"].get<std::string>(), &bytes));
    ASSERT_EQ(bytes.size(), static_cast<size_t>(values.size()) * sizeof(float));
    EXPECT_EQ(std::memcmp(bytes.data(), values.data(), bytes.size()), 0);
    ASSERT_EQ(plain["data"][at]["embedding"].size(), static_cast<size_t>(values.size()));
    for (int k = 0; k < values.size(); ++k) {
      EXPECT_EQ(plain["data"][at]["embedding"][static_cast<size_t>(k)].get<float>(), values[k]);
    }
  }
}

TEST_F(HttpTest, TranslationsAreGrpcs) {
  v1::TranslateResponse expected;
  ASSERT_TRUE(Shared().Translate(Request("The house is small."), expected).ok());
  const std::string text = expected.translations(0).translated_text();
  const std::string wanted = json({{"translatedText", text}}).dump();
  EXPECT_EQ(Post("/translate", R"({"q":"The house is small.","source":"en","target":"de"})").body, wanted);
  EXPECT_EQ(Post("/translate", "q=The+house+is+small.&source=en&target=de",
                 "Content-Type: application/x-www-form-urlencoded\r\n")
                .body,
            wanted);
  const json found =
      json::parse(Post("/translate", R"({"q":["The house is small."],"source":"auto","target":"de"})").body);
  EXPECT_EQ(found["translatedText"], json::array({text}));
  EXPECT_EQ(found["detectedLanguage"][0]["language"], "en");
  const json more = json::parse(
      Post("/translate", R"({"q":"The house is small.","source":"en","target":"de","alternatives":3})").body);
  EXPECT_GE(more["alternatives"].size(), 1u);
  EXPECT_LE(more["alternatives"].size(), 3u);
}

TEST_F(HttpTest, TheListsNameWhatIsServed) {
  EXPECT_EQ(Get("/languages").body, R"([{"code":"en","name":"English","targets":["de"]}])");
  const json models = json::parse(Get("/v1/models").body);
  EXPECT_EQ(models["data"].size(), 3u);
  EXPECT_EQ(json::parse(Get("/v1/models/embed-en-de").body)["id"], "embed-en-de");
  EXPECT_EQ(Get("/v1/models/nothing").status, 404);
  EXPECT_EQ(json::parse(Post("/detect", R"({"q":"Wo ist der Bahnhof?"})").body)[0]["language"], "de");
  for (const char* path : {"/livez", "/readyz", "/health"}) {
    EXPECT_EQ(Get(path).status, 200) << path;
    EXPECT_EQ(Get(path).body, R"({"status":"ok"})") << path;
  }
}

TEST_F(HttpTest, ErrorsOfTheServicesHaveTheirStatus) {
  EXPECT_EQ(Post("/v1/embeddings", R"({"input":"a","model":"nothing"})").status, 404);
  EXPECT_EQ(Post("/v1/embeddings", R"({"input":"a","model":"../x"})").status, 400);
  EXPECT_EQ(Post("/v1/embeddings", R"({"input":"a","model":"embed-en-de","dimensions":5000})").status, 400);
  EXPECT_EQ(Post("/translate", R"({"q":"a","source":"xx","target":"de"})").status, 404);
  json body = {{"q", LongText(2000)}, {"source", "en"}, {"target", "de"}};
  EXPECT_EQ(Post("/translate", body.dump(), "X-Request-Timeout-Ms: 20\r\n").status, 504);
  body["q"] = std::vector<std::string>(257, "a");
  EXPECT_EQ(Post("/translate", body.dump()).status, 400);
}

TEST_F(HttpTest, CallsCountAsGrpcs) {
  const double before = Shared().Metric("attendant_requests_total", "EmbedText,OK");
  Post("/v1/embeddings", R"({"input":"a","model":"embed-en-de"})");
  // Counted when gRPC is done with the call: the answer may be out before.
  EXPECT_TRUE(
      BecomesTrue([&] { return Shared().Metric("attendant_requests_total", "EmbedText,OK") == before + 1; }));
}

TEST_F(HttpTest, AFullQueueIs429WithAHint) {
  config::ServerConfig config = HttpConfig();
  config.mutable_scheduler()->set_max_queue(2);
  config.mutable_engine()->set_num_workers(1);
  TestServer server(config);
  const json body = {{"q", LongText(2000)}, {"source", "en"}, {"target", "de"}};
  std::vector<std::unique_ptr<RawHttpConnection>> connections;
  for (int i = 0; i < 8; ++i) {
    connections.push_back(std::make_unique<RawHttpConnection>(server.server().http_port()));
    connections.back()->Send(HttpText("POST", "/translate", body.dump(), "X-Request-Timeout-Ms: 10000\r\n"));
  }
  int refused = 0;
  for (const auto& connection : connections) {
    const RawResponse response = connection->Receive();
    if (response.status != 429) continue;
    ++refused;
    int seconds = -1;
    EXPECT_TRUE(absl::SimpleAtoi(RawHttpConnection::Header(response, "Retry-After"), &seconds))
        << response.head;
    EXPECT_GE(seconds, 1);
  }
  EXPECT_GE(refused, 1);
}

TEST_F(HttpTest, ADrainClosesThePortAndAnswersWhoIsConnected) {
  TestServer server(HttpConfig());
  const int port = server.server().http_port();
  const json body = {{"q", LongText(100)}, {"source", "en"}, {"target", "de"}};
  RawHttpConnection accepted(port), idle(port);
  ASSERT_TRUE(idle.Send(HttpText("GET", "/livez")));
  EXPECT_EQ(idle.Receive().status, 200);
  ASSERT_TRUE(accepted.Send(HttpText("POST", "/translate", body.dump())));
  ASSERT_TRUE(server.Eventually([&] { return server.Metric("attendant_running_sentences") > 0; }));
  bool is_complete = false;
  std::thread drain([&] { is_complete = server.server().Drain(); });
  ASSERT_TRUE(server.Eventually([&] { return !RawHttpConnection(port).is_connected(); }));
  idle.Send(HttpText("POST", "/translate", R"({"q":"a","source":"en","target":"de"})"));
  EXPECT_THAT(idle.Receive().status, testing::AnyOf(200, 503));  // 503 in the last moment only.
  const RawResponse answer = accepted.Receive();
  drain.join();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("translatedText"));
  EXPECT_TRUE(is_complete);
}

}  // namespace
}  // namespace attendant
