// The embedding and classification services over real sockets, against what transformers answers for the same
// weights (tests/golden/make_encoder_golden.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "attendant/v1/embedding_service.grpc.pb.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using grpc::StatusCode;
using nlohmann::json;
using testing::HasSubstr;

const std::string kEncoders = ATTENDANT_SOURCE_DIR "/tests/golden/encoders/";
const std::string kImages = ATTENDANT_SOURCE_DIR "/tests/golden/images/";

json GoldenOf(const std::string& model) {
  return json::parse(std::ifstream(kEncoders + model + "/golden.json"));
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "t5 t17": the text whose tokens are these.
std::string TextOf(const std::vector<int32_t>& ids) {
  std::string text;
  for (const int32_t id : ids) absl::StrAppend(&text, text.empty() ? "" : " ", "t", id);
  return text;
}

config::ServerConfig EncoderConfig(int32_t workers) {
  config::ServerConfig config = TestConfig();
  config.clear_model();
  for (const char* name : {"bert", "bert-sequence", "bert-tokens", "mpnet", "vit", "vit-classes"}) {
    config::ModelConfig& model = *config.add_model();
    model.set_name(name);
    model.set_path(kEncoders + name);
  }
  config.mutable_engine()->set_num_workers(workers);
  return config;
}

class EncodeTest : public testing::Test {
 protected:
  static TestServer& Server() {
    static TestServer server(EncoderConfig(2));
    return server;
  }
  template <typename Request, typename Response, typename Stub, typename Method>
  static grpc::Status Call(Stub& stub, Method method, const Request& request, Response& response) {
    grpc::ClientContext context;
    return (stub.*method)(&context, request, &response);
  }
  static grpc::Status Ask(const v1::EmbedTextRequest& request, v1::EmbedTextResponse& response,
                          const TestServer& server = Server()) {
    const auto stub = v1::EmbeddingService::NewStub(server.channel());
    return Call(*stub, &v1::EmbeddingService::Stub::EmbedText, request, response);
  }
  static grpc::Status Ask(const v1::EmbedImageRequest& request, v1::EmbedImageResponse& response) {
    const auto stub = v1::EmbeddingService::NewStub(Server().channel());
    return Call(*stub, &v1::EmbeddingService::Stub::EmbedImage, request, response);
  }
  static grpc::Status Ask(const v1::ClassifyTextRequest& request, v1::ClassifyTextResponse& response) {
    const auto stub = v1::ClassificationService::NewStub(Server().channel());
    return Call(*stub, &v1::ClassificationService::Stub::ClassifyText, request, response);
  }
  static grpc::Status Ask(const v1::ClassifyImageRequest& request, v1::ClassifyImageResponse& response) {
    const auto stub = v1::ClassificationService::NewStub(Server().channel());
    return Call(*stub, &v1::ClassificationService::Stub::ClassifyImage, request, response);
  }
  static grpc::Status Ask(const v1::LabelTokensRequest& request, v1::LabelTokensResponse& response) {
    const auto stub = v1::ClassificationService::NewStub(Server().channel());
    return Call(*stub, &v1::ClassificationService::Stub::LabelTokens, request, response);
  }
  template <typename Request, typename Response>
  static Response AskOk(const Request& request, Response response = {}) {
    const grpc::Status status = Ask(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

TEST_F(EncodeTest, TextEmbeddingsAreTheMeanOfTheTokens) {
  const json golden = GoldenOf("mpnet");
  v1::EmbedTextRequest request;
  request.set_model("mpnet");
  for (const json& test : golden["cases"]) request.add_texts(TextOf(test["ids"]));
  const auto response = AskOk<v1::EmbedTextRequest, v1::EmbedTextResponse>(request);
  ASSERT_EQ(response.embeddings_size(), request.texts_size());
  for (int i = 0; i < request.texts_size(); ++i) {
    const json& hidden = golden["cases"][static_cast<size_t>(i)]["hidden"];
    const v1::TextEmbedding& embedding = response.embeddings(i);
    ASSERT_EQ(embedding.vector().values_size(), static_cast<int>(hidden[0].size()));
    EXPECT_EQ(embedding.tokens(), static_cast<int>(hidden.size()));
    EXPECT_FALSE(embedding.truncated());
    for (size_t d = 0; d < hidden[0].size(); ++d) {
      double mean = 0;
      for (const json& token : hidden) mean += token[d].get<double>() / static_cast<double>(hidden.size());
      EXPECT_NEAR(embedding.vector().values(static_cast<int>(d)), mean, 1e-5);
    }
  }
}

TEST_F(EncodeTest, TextClassesHaveTheLogitsOfTransformers) {
  const json golden = GoldenOf("bert-sequence");
  v1::ClassifyTextRequest request;
  request.set_return_logits(true);
  for (const json& test : golden["cases"]) {
    if (!test.contains("types")) request.add_texts(TextOf(test["ids"]));
  }
  const auto response = AskOk<v1::ClassifyTextRequest, v1::ClassifyTextResponse>(request);
  EXPECT_EQ(response.model(), "bert-sequence") << "the only one for it";
  int i = 0;
  for (const json& test : golden["cases"]) {
    if (test.contains("types")) continue;
    const v1::TextClassification& classes = response.classifications(i++);
    ASSERT_EQ(classes.labels_size(), 3);
    double total = 0;
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(classes.logits(c), test["logits"][static_cast<size_t>(c)].get<float>(), 1e-5);
      total += classes.labels(c).probability();
    }
    EXPECT_NEAR(total, 1, 1e-5);
    EXPECT_GE(classes.labels(0).probability(), classes.labels(1).probability());
    const auto best = std::max_element(classes.logits().begin(), classes.logits().end());
    EXPECT_EQ(classes.labels(0).index(), best - classes.logits().begin());
  }
}

TEST_F(EncodeTest, WordsHaveTheLabelsOfTransformersAndTheirPlaces) {
  const json golden = GoldenOf("bert-tokens");
  const std::vector<std::string> names = {"bad", "good", "so-so"};
  for (const json& test : golden["cases"]) {
    if (test.contains("types")) continue;
    v1::LabelTokensRequest request;
    request.add_texts("  " + TextOf(test["ids"]));
    const auto response = AskOk<v1::LabelTokensRequest, v1::LabelTokensResponse>(request);
    const v1::TokenLabels& labels = response.texts(0);
    ASSERT_EQ(labels.words_size(), static_cast<int>(test["ids"].size()));
    for (int w = 0; w < labels.words_size(); ++w) {
      const std::vector<float> logits = test["logits"][static_cast<size_t>(w)];
      const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      const v1::LabelledSpan& word = labels.words(w);
      EXPECT_EQ(word.label(), names[static_cast<size_t>(best)]);
      const std::string expected = absl::StrCat("t", test["ids"][static_cast<size_t>(w)].get<int>());
      EXPECT_EQ(word.text(), expected);
      EXPECT_EQ(request.texts(0).substr(static_cast<size_t>(word.begin_byte()),
                                        static_cast<size_t>(word.end_byte() - word.begin_byte())),
                expected);
    }
    EXPECT_EQ(labels.entities_size(), 0) << "these labels have no B- and I-";
  }
}

TEST_F(EncodeTest, ImagesHaveTheLogitsOfTransformersFromFileToAnswer) {
  v1::ClassifyImageRequest request;
  request.set_return_logits(true);
  request.set_return_attention_map(true);
  const json files = GoldenOf("vit-classes")["files"];
  for (const json& file : files) request.add_images(ReadFile(kImages + file["file"].get<std::string>()));
  const auto response = AskOk<v1::ClassifyImageRequest, v1::ClassifyImageResponse>(request);
  for (size_t i = 0; i < files.size(); ++i) {
    const v1::ImageClassification& classes = response.classifications(static_cast<int>(i));
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(classes.logits(c), files[i]["logits"][static_cast<size_t>(c)].get<float>(), 2e-5)
          << files[i]["file"];
    }
    EXPECT_GT(classes.width(), 1);
    double total = 0;
    for (const float weight : classes.attention_map().weights()) total += weight;
    EXPECT_NEAR(total, 1, 1e-4);
    EXPECT_EQ(classes.attention_map().weights_size(), 9);
    EXPECT_EQ(classes.attention_map().right(), 1);
  }
}

TEST_F(EncodeTest, ImageEmbeddingsAreThePooledOutput) {
  v1::EmbedImageRequest request;
  request.set_model("vit");
  const json files = GoldenOf("vit")["files"];
  for (const json& file : files) request.add_images(ReadFile(kImages + file["file"].get<std::string>()));
  const auto response = AskOk<v1::EmbedImageRequest, v1::EmbedImageResponse>(request);
  for (size_t i = 0; i < files.size(); ++i) {
    const v1::Vector& vector = response.embeddings(static_cast<int>(i)).vector();
    ASSERT_EQ(vector.values_size(), static_cast<int>(files[i]["pooled"].size()));
    for (int d = 0; d < vector.values_size(); ++d) {
      EXPECT_NEAR(vector.values(d), files[i]["pooled"][static_cast<size_t>(d)].get<float>(), 2e-5);
    }
  }
}

TEST_F(EncodeTest, VectorsComeInTheFormatAskedFor) {
  v1::EmbedTextRequest request;
  request.set_model("bert");
  request.add_texts("t3 t4 t5 t6");
  request.set_normalize(true);
  request.set_dimensions(20);
  const v1::Vector full = AskOk<v1::EmbedTextRequest, v1::EmbedTextResponse>(request).embeddings(0).vector();
  ASSERT_EQ(full.values_size(), 20);
  double squares = 0;
  for (const float value : full.values()) squares += double{value} * value;
  EXPECT_NEAR(squares, 1, 1e-5);

  request.set_format(v1::VECTOR_FORMAT_FLOAT16);
  const v1::Vector half = AskOk<v1::EmbedTextRequest, v1::EmbedTextResponse>(request).embeddings(0).vector();
  EXPECT_EQ(half.packed().size(), 40U);
  request.set_format(v1::VECTOR_FORMAT_INT8);
  const v1::Vector bytes = AskOk<v1::EmbedTextRequest, v1::EmbedTextResponse>(request).embeddings(0).vector();
  ASSERT_EQ(bytes.packed().size(), 20U);
  request.set_format(v1::VECTOR_FORMAT_BINARY);
  const v1::Vector bits = AskOk<v1::EmbedTextRequest, v1::EmbedTextResponse>(request).embeddings(0).vector();
  ASSERT_EQ(bits.packed().size(), 3U);
  for (int d = 0; d < 20; ++d) {
    const auto at = [](const v1::Vector& v, int i) {
      return static_cast<unsigned char>(v.packed()[static_cast<size_t>(i)]);
    };
    const int pattern = at(half, 2 * d) | at(half, 2 * d + 1) << 8;
    const int exponent = (pattern >> 10) & 31;
    const double magnitude =
        exponent == 0 ? std::ldexp(pattern & 1023, -24) : std::ldexp(1024 + (pattern & 1023), exponent - 25);
    EXPECT_NEAR(pattern & 0x8000 ? -magnitude : magnitude, full.values(d),
                5e-4 * std::abs(full.values(d)) + 1e-7);
    EXPECT_NEAR(static_cast<signed char>(at(bytes, d)) * bytes.scale(), full.values(d),
                bytes.scale() / 2 + 1e-6);
    EXPECT_EQ((at(bits, d / 8) >> (7 - d % 8)) & 1, full.values(d) > 0 ? 1 : 0);
  }
}

TEST_F(EncodeTest, LongTextsAreCutOffAndSaySoOrAreRefused) {
  const auto num_refused = [] {
    return Server().Metric("attendant_rejected_total", "reason=\"text\",model=\"bert\"");
  };
  const double earlier = num_refused();
  for (const int count : {47, 48, 49}) {  // The model has 48 positions.
    v1::EmbedTextRequest request;
    request.set_model("bert");
    request.add_texts(TextOf(std::vector<int32_t>(static_cast<size_t>(count), 7)));
    const auto response = AskOk<v1::EmbedTextRequest, v1::EmbedTextResponse>(request);
    EXPECT_EQ(response.embeddings(0).tokens(), std::min(count, 48));
    EXPECT_EQ(response.embeddings(0).truncated(), count > 48);
    request.set_refuse_truncation(true);
    v1::EmbedTextResponse refused;
    const grpc::Status status = Ask(request, refused);
    EXPECT_EQ(status.error_code(), count > 48 ? StatusCode::INVALID_ARGUMENT : StatusCode::OK);
  }
  EXPECT_EQ(num_refused(), earlier + 1);
}

TEST_F(EncodeTest, WrongRequestsNameWhatIsWrong) {
  const auto error = [](const auto& request, auto response) { return Ask(request, response); };
  v1::EmbedTextRequest text;
  EXPECT_THAT(error(text, v1::EmbedTextResponse()).error_message(), HasSubstr("at least one"));
  text.add_texts("t3");
  EXPECT_EQ(error(text, v1::EmbedTextResponse()).error_code(), StatusCode::INVALID_ARGUMENT)
      << "several models embed";
  text.set_model("nobody");
  EXPECT_EQ(error(text, v1::EmbedTextResponse()).error_code(), StatusCode::NOT_FOUND);
  text.set_model("../bert");
  EXPECT_EQ(error(text, v1::EmbedTextResponse()).error_code(), StatusCode::INVALID_ARGUMENT);
  text.set_model("vit");
  EXPECT_EQ(error(text, v1::EmbedTextResponse()).error_code(), StatusCode::FAILED_PRECONDITION);
  text.set_model("bert");
  text.set_dimensions(33);
  EXPECT_THAT(error(text, v1::EmbedTextResponse()).error_message(), HasSubstr("dimensions: 33"));
  text.set_dimensions(32);
  text.set_prompt("query");
  EXPECT_THAT(error(text, v1::EmbedTextResponse()).error_message(), HasSubstr("prompt"));
  text.set_prompt("");
  text.set_priority(11);
  EXPECT_THAT(error(text, v1::EmbedTextResponse()).error_message(), HasSubstr("priority: 11"));

  v1::ClassifyImageRequest image;
  image.add_images(ReadFile(kImages + "basn2c16.png"));
  image.set_top_k(0);
  EXPECT_THAT(error(image, v1::ClassifyImageResponse()).error_message(), HasSubstr("top_k: 0"));
  image.set_top_k(1);
  image.add_images("GIF89a");
  const grpc::Status status = error(image, v1::ClassifyImageResponse());
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("images[1]"));
  EXPECT_GE(Server().Metric("attendant_rejected_total", "reason=\"image\",model=\"vit-classes\""), 1);
}

TEST_F(EncodeTest, CallsOfMoreInputsThanCanWaitAreNotToldToTryAgain) {
  config::ServerConfig config = EncoderConfig(1);
  config.mutable_scheduler()->set_max_queue(2);
  const TestServer small(config);
  v1::EmbedTextRequest request;
  request.set_model("bert");
  for (const int count : {1, 2, 3}) {
    request.add_texts("t3");
    grpc::ClientContext context;
    v1::EmbedTextResponse response;
    const grpc::Status status =
        v1::EmbeddingService::NewStub(small.channel())->EmbedText(&context, request, &response);
    EXPECT_EQ(status.error_code(), count > 2 ? StatusCode::INVALID_ARGUMENT : StatusCode::OK) << count;
  }
}

TEST_F(EncodeTest, EveryTruncationOfAnImageIsAnErrorAndTheNextOneIsFine) {
  const std::string file = ReadFile(kImages + "basn2c16.png");
  v1::ClassifyImageRequest good;
  good.add_images(file);
  const auto expected = AskOk<v1::ClassifyImageRequest, v1::ClassifyImageResponse>(good);
  for (size_t length = 0; length < file.size(); ++length) {
    v1::ClassifyImageRequest request;
    request.add_images(file.substr(0, length));
    v1::ClassifyImageResponse response;
    EXPECT_EQ(Ask(request, response).error_code(), StatusCode::INVALID_ARGUMENT) << length;
  }
  const auto again = AskOk<v1::ClassifyImageRequest, v1::ClassifyImageResponse>(good);
  EXPECT_EQ(again.classifications(0).labels(0).probability(),
            expected.classifications(0).labels(0).probability());
}

TEST_F(EncodeTest, HugePictureIsRefusedByItsHeader) {
  std::string file = ReadFile(kImages + "basn2c16.png");
  for (size_t at : {16, 20}) file.replace(at, 4, std::string("\x00\x00\xff\xdc", 4));  // 65,500 each.
  const double before = Server().Metric("process_resident_memory_bytes");
  v1::ClassifyImageRequest request;
  for (int i = 0; i < 8; ++i) request.add_images(file);
  v1::ClassifyImageResponse response;
  EXPECT_EQ(Ask(request, response).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_LT(Server().Metric("process_resident_memory_bytes") - before, 64 << 20);
}

TEST_F(EncodeTest, AnswersDoNotDependOnWhatSharesTheBatch) {
  std::vector<v1::EmbedTextRequest> requests;
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    v1::EmbedTextRequest request;
    request.set_model(i % 2 == 0 ? "bert" : "mpnet");
    std::vector<int32_t> ids(1 + random() % 40);
    for (int32_t& id : ids) id = static_cast<int32_t>(3 + random() % 90);
    request.add_texts(TextOf(ids));
    request.set_normalize(i % 3 == 0);
    requests.push_back(request);
  }
  const auto essence = [](const v1::EmbedTextRequest& request, const TestServer& server) {
    v1::EmbedTextResponse response;
    const grpc::Status status = Ask(request, response, server);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.embeddings(0).vector().SerializeAsString();
  };
  std::vector<std::string> alone;
  for (const int workers : {1, 2}) {
    TestServer server(EncoderConfig(workers));
    if (alone.empty()) {
      for (const auto& request : requests) alone.push_back(essence(request, server));
    }
    std::vector<std::string> together(requests.size());
    std::vector<size_t> order(requests.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    std::vector<std::thread> clients;
    for (const size_t i : order) {
      clients.emplace_back([&, i] { together[i] = essence(requests[i], server); });
    }
    for (std::thread& client : clients) client.join();
    for (size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(together[i], alone[i]) << "request " << i;
  }
}

TEST_F(EncodeTest, DeadlinesAndCancellationsLeaveNothingBehind) {
  const auto stub = v1::EmbeddingService::NewStub(Server().channel());
  v1::EmbedTextRequest request;
  request.set_model("bert");
  for (int i = 0; i < 200; ++i) request.add_texts(TextOf(std::vector<int32_t>(40, 3 + i % 90)));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(300 * i));
    v1::EmbedTextResponse response;
    const grpc::Status status = stub->EmbedText(&context, request, &response);
    EXPECT_TRUE(status.ok() || status.error_code() == StatusCode::DEADLINE_EXCEEDED)
        << status.error_message();
  }
  EXPECT_TRUE(Server().Eventually([] {
    return Server().Metric("attendant_requests_in_flight") == 0 &&
           Server().Metric("attendant_queue_depth") == 0;
  }));
}

TEST_F(EncodeTest, ModelsSayWhatTheyAreFor) {
  const auto stub = Server().Models();
  grpc::ClientContext context;
  v1::ListModelsResponse models;
  ASSERT_TRUE(stub->ListModels(&context, {}, &models).ok());
  std::map<std::string, v1::Model> by_name;
  for (const v1::Model& model : models.models()) by_name[model.name()] = model;
  EXPECT_THAT(by_name["bert"].tasks(), testing::ElementsAre("embed_text"));
  EXPECT_THAT(by_name["bert-tokens"].tasks(), testing::ElementsAre("label_tokens"));
  EXPECT_THAT(by_name["vit-classes"].tasks(), testing::ElementsAre("embed_image", "classify_image"));
  EXPECT_THAT(by_name["vit-classes"].labels(), testing::ElementsAre("bad", "good", "so-so"));
  EXPECT_EQ(by_name["vit-classes"].image_width(), 24);
  EXPECT_EQ(by_name["bert"].embedding_dimensions(), 32);
}

}  // namespace
}  // namespace attendant
