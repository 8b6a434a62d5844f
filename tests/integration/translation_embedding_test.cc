// EmbedText by the encoders of translation models over real sockets, against what transformers computes with
// the same weights (tests/golden/make_golden.py embeddings).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "attendant/v1/embedding_service.grpc.pb.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using grpc::StatusCode;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

// The cases of one model.
std::vector<json> EmbeddingCasesOf(const std::string& model) {
  std::vector<json> cases;
  const json all = json::parse(std::ifstream(ATTENDANT_SOURCE_DIR "/tests/golden/marian-embeddings.json"));
  for (const json& test : all["cases"]) {
    if (test["model"] == model) cases.push_back(test);
  }
  return cases;
}

// "both" says that it embeds, "plain" does not; both are tiny-relu.
class TranslationEmbeddingTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = fs::path(testing::TempDir()) / "attendant-translation-embedding";
    fs::remove_all(root_);
    fs::create_directories(root_);
    for (const char* name : {"both", "plain"}) fs::copy(kTiny, root_ / name);
    std::ofstream(root_ / "both/README.md") << "---\ntags: [translation, feature-extraction]\n---\n# Both\n";
    server_ = new TestServer(Config(2));
  }
  static void TearDownTestSuite() {
    delete server_;
    fs::remove_all(root_);
  }
  static config::ServerConfig Config(int32_t workers) {
    config::ServerConfig config = TestConfig();
    config.clear_model();
    for (const char* name : {"both", "plain"}) {
      config::ModelConfig& model = *config.add_model();
      model.set_name(name);
      model.set_path(root_ / name);
    }
    config.mutable_engine()->set_num_workers(workers);
    config.mutable_engine()->set_kv_cache_bytes(16 << 20);
    return config;
  }
  static grpc::Status Embed(const v1::EmbedTextRequest& request, v1::EmbedTextResponse& response,
                            const TestServer& server = *server_) {
    grpc::ClientContext context;
    return v1::EmbeddingService::NewStub(server.channel())->EmbedText(&context, request, &response);
  }
  static v1::EmbedTextResponse EmbedOk(const v1::EmbedTextRequest& request) {
    v1::EmbedTextResponse response;
    const grpc::Status status = Embed(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  static const fs::path kTiny;
  static fs::path root_;
  static TestServer* server_;
};
const fs::path TranslationEmbeddingTest::kTiny = ATTENDANT_SOURCE_DIR "/tests/golden/tiny-relu";
fs::path TranslationEmbeddingTest::root_;
TestServer* TranslationEmbeddingTest::server_ = nullptr;

TEST_F(TranslationEmbeddingTest, VectorsAreTheMeanOfTheStatesOfTransformers) {
  const std::vector<json> cases = EmbeddingCasesOf("tiny-relu");
  v1::EmbedTextRequest request;
  for (const json& test : cases) request.add_texts(test["text"].get<std::string>());
  const double texts = server_->Metric("attendant_texts_total", "model=\"both\"");
  const v1::EmbedTextResponse response = EmbedOk(request);
  EXPECT_EQ(response.model(), "both") << "the only one that embeds";
  ASSERT_EQ(response.embeddings_size(), static_cast<int>(cases.size()));
  int32_t tokens = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const v1::TextEmbedding& embedding = response.embeddings(static_cast<int>(i));
    const std::vector<float> expected = cases[i]["embedding"];
    ASSERT_EQ(embedding.vector().values_size(), static_cast<int>(expected.size()));
    for (size_t d = 0; d < expected.size(); ++d) {
      EXPECT_NEAR(embedding.vector().values(static_cast<int>(d)), expected[d], 2e-5);
    }
    EXPECT_EQ(embedding.tokens(), cases[i]["tokens"]);
    EXPECT_EQ(embedding.truncated(), cases[i]["truncated"]);
    tokens += embedding.tokens();
  }
  EXPECT_EQ(response.tokens(), tokens);
  EXPECT_EQ(server_->Metric("attendant_texts_total", "model=\"both\""), texts + request.texts_size());
}

TEST_F(TranslationEmbeddingTest, ModelsSayWhatTheyAreFor) {
  const auto get = [&](const std::string& name) {
    grpc::ClientContext context;
    v1::GetModelRequest request;
    request.set_name(name);
    v1::Model model;
    EXPECT_TRUE(server_->Models()->GetModel(&context, request, &model).ok());
    return model;
  };
  const v1::Model both = get("both"), plain = get("plain");
  EXPECT_THAT(both.tasks(), ElementsAre("translate", "embed_text"));
  EXPECT_THAT(plain.tasks(), ElementsAre("translate"));
  EXPECT_EQ(both.embedding_dimensions(), 32);
  EXPECT_EQ(plain.embedding_dimensions(), 0);
  EXPECT_EQ(both.limits().max_text_tokens(), 48);
  EXPECT_EQ(plain.limits().max_text_tokens(), 0);
  EXPECT_EQ(both.limits().max_source_tokens(), 48);
  EXPECT_EQ(both.vocab_size(), plain.vocab_size());
  EXPECT_EQ(both.weights_bytes(), plain.weights_bytes()) << "one copy serves both tasks";
  EXPECT_EQ(both.num_workers(), plain.num_workers());
}

TEST_F(TranslationEmbeddingTest, ModelThatDoesNotSaySoTellsWhatToWriteWhere) {
  v1::EmbedTextRequest request;
  request.add_texts("No!");
  request.set_model("plain");
  v1::EmbedTextResponse response;
  const grpc::Status status = Embed(request, response);
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(),
              AllOf(HasSubstr("plain"), HasSubstr("README.md"), HasSubstr("tags: [feature-extraction]")));
}

TEST_F(TranslationEmbeddingTest, SeveralModelsThatEmbedMustBeNamed) {
  config::ServerConfig config = Config(1);
  config::ModelConfig& bert = *config.add_model();
  bert.set_name("bert");
  bert.set_path(ATTENDANT_SOURCE_DIR "/tests/golden/encoders/bert");
  const TestServer server(config);
  v1::EmbedTextRequest request;
  request.add_texts("t3");
  v1::EmbedTextResponse response;
  EXPECT_EQ(Embed(request, response, server).error_code(), StatusCode::INVALID_ARGUMENT);
  request.set_model("both");
  EXPECT_TRUE(Embed(request, response, server).ok());
}

TEST_F(TranslationEmbeddingTest, OptionsAreThoseOfEveryEmbedder) {
  v1::EmbedTextRequest request;
  request.add_texts("seven wizards");
  const v1::Vector raw = EmbedOk(request).embeddings(0).vector();
  request.set_normalize(true);
  request.set_dimensions(20);
  const v1::Vector unit = EmbedOk(request).embeddings(0).vector();
  ASSERT_EQ(unit.values_size(), 20);
  double length = 0;
  for (int d = 0; d < 20; ++d) length += double{raw.values(d)} * raw.values(d);
  for (int d = 0; d < 20; ++d) EXPECT_NEAR(unit.values(d), raw.values(d) / std::sqrt(length), 1e-6);
  request.set_format(v1::VECTOR_FORMAT_FLOAT16);
  EXPECT_EQ(EmbedOk(request).embeddings(0).vector().packed().size(), 40U);
  request.set_format(v1::VECTOR_FORMAT_INT8);
  EXPECT_EQ(EmbedOk(request).embeddings(0).vector().packed().size(), 20U);
  request.set_format(v1::VECTOR_FORMAT_BINARY);
  EXPECT_EQ(EmbedOk(request).embeddings(0).vector().packed().size(), 3U);

  v1::EmbedTextResponse response;
  request.set_prompt("query");
  EXPECT_THAT(Embed(request, response).error_message(), HasSubstr("prompt"));
  request.clear_prompt();
  request.set_dimensions(33);
  EXPECT_THAT(Embed(request, response).error_message(), HasSubstr("dimensions: 33"));
  request.clear_dimensions();
  request.set_texts(0, std::string(400, 'a'));
  request.set_refuse_truncation(true);
  EXPECT_EQ(Embed(request, response).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_GE(server_->Metric("attendant_rejected_total", "reason=\"text\",model=\"both\""), 1);
}

// Texts and translations from many clients on the same workers: bit for bit what each gives alone.
TEST_F(TranslationEmbeddingTest, AnswersDoNotDependOnWhatSharesTheBatch) {
  constexpr int kClients = 120;
  const auto text = [](int i) {
    return "the lazy dog " + std::string(static_cast<size_t>(i) % 17, 'm') + (i % 5 == 0 ? "!" : "");
  };
  const auto embed = [&](int i, const TestServer& server) {
    v1::EmbedTextRequest request;
    request.set_model("both");
    request.add_texts(text(i));
    v1::EmbedTextResponse response;
    const grpc::Status status = Embed(request, response, server);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.embeddings_size() == 1 ? response.embeddings(0).vector().SerializeAsString() : "";
  };
  const auto translate = [&](int i, const TestServer& server) {
    v1::TranslateRequest request = Request(text(i));
    request.set_model("both");
    request.mutable_options()->set_beam_size(1 + i % 4);
    request.mutable_options()->set_max_length(15);
    v1::TranslateResponse response;
    const grpc::Status status = server.Translate(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return Essence(response);
  };
  std::vector<std::string> alone(kClients);
  for (int i = 0; i < kClients; ++i) {
    alone[static_cast<size_t>(i)] = i % 2 == 0 ? embed(i, *server_) : translate(i, *server_);
  }
  for (const int workers : {1, 2}) {
    const TestServer server(Config(workers));
    std::vector<std::string> together(kClients);
    std::vector<std::thread> clients;
    for (int i = kClients; i-- > 0;) {
      clients.emplace_back([&, i] {
        together[static_cast<size_t>(i)] = i % 2 == 0 ? embed(i, server) : translate(i, server);
      });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(together, alone) << workers;
  }
}

TEST_F(TranslationEmbeddingTest, DeadlinesLeaveNothingBehind) {
  const auto stub = v1::EmbeddingService::NewStub(server_->channel());
  v1::EmbedTextRequest request;
  request.set_model("both");
  for (int i = 0; i < 200; ++i)
    request.add_texts("seven wizards pack five boxes of jam " + std::to_string(i));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(300 * i));
    v1::EmbedTextResponse response;
    const grpc::Status status = stub->EmbedText(&context, request, &response);
    EXPECT_TRUE(status.ok() || status.error_code() == StatusCode::DEADLINE_EXCEEDED)
        << status.error_message();
  }
  EXPECT_TRUE(server_->Eventually([] {
    return server_->Metric("attendant_requests_in_flight") == 0 &&
           server_->Metric("attendant_queue_depth") == 0 &&
           server_->Metric("attendant_running_sentences") == 0;
  }));
}

TEST_F(TranslationEmbeddingTest, CancelledCallsLeaveNothingBehind) {
  const auto stub = v1::EmbeddingService::NewStub(server_->channel());
  v1::EmbedTextRequest request;
  request.set_model("both");
  for (int i = 0; i < 200; ++i) request.add_texts("a jam " + std::string(static_cast<size_t>(i), 'x'));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(300 * i));
      context.TryCancel();
    });
    v1::EmbedTextResponse response;
    const grpc::Status status = stub->EmbedText(&context, request, &response);
    canceller.join();
    EXPECT_TRUE(status.ok() || status.error_code() == StatusCode::CANCELLED) << status.error_message();
  }
  EXPECT_TRUE(server_->Eventually([] {
    return server_->Metric("attendant_requests_in_flight") == 0 &&
           server_->Metric("attendant_queue_depth") == 0;
  }));
  EXPECT_EQ(EmbedOk([] {
              v1::EmbedTextRequest next;
              next.add_texts("No!");
              return next;
            }())
                .embeddings_size(),
            1);
}

}  // namespace
}  // namespace attendant
