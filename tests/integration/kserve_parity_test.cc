// ModelInfer and attendant.v1's services, asked the same over real sockets, answer the same bit for bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "attendant/v1/embedding_service.grpc.pb.h"
#include "tests/integration/kserve_fixture.h"

namespace attendant {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::ElementsAre;

class KserveParityTest : public KserveTest {
 protected:
  static std::vector<std::string> Images() {
    std::vector<std::string> images;
    for (const char* name : {"cat.jpg", "chelsea.jpg"}) {
      std::ifstream file(absl::StrCat(ATTENDANT_SOURCE_DIR, "/docs/samples/", name), std::ios::binary);
      images.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
      EXPECT_GT(images.back().size(), 1000U) << name;
    }
    return images;
  }
  template <typename Request, typename Response, typename ServiceStub, typename Method>
  static Response AskV1(ServiceStub stub, Method method, const Request& request, Response response = {}) {
    grpc::ClientContext context;
    const grpc::Status status = ((*stub).*method)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

const std::vector<std::string>& Sources() {
  static const std::vector<std::string> sources = {"I would like to learn German.",
                                                   "The weather is nice today. Where is the station?", "",
                                                   "Good\xff morning.", "One line.\nAnother line."};
  return sources;
}

v1::TranslateRequest TranslateRequestOf(const std::vector<std::string>& texts) {
  v1::TranslateRequest request;
  for (const std::string& text : texts) request.add_contents(text);
  request.set_model(kModel);
  return request;
}

TEST_F(KserveParityTest, TranslationsAreTheSame) {
  // attendant.v1's `contents` are strings, which the client's protobuf wants to be UTF-8.
  std::vector<std::string> texts = Sources();
  texts[3] = "Good morning.";
  const auto expected = AskV1<v1::TranslateRequest, v1::TranslateResponse>(
      Server().Translation(), &v1::TranslationService::Stub::Translate, TranslateRequestOf(texts));
  for (const auto& request : {RawRequest(kModel, "text", texts), TypedRequest(kModel, "text", texts)}) {
    const ModelInferResponse response = InferOk(request);
    const AnswerTensor translation = TensorOf(response, "translation");
    const AnswerTensor score = TensorOf(response, "score");
    EXPECT_THAT(translation.shape, ElementsAre(5, 1));
    for (int i = 0; i < expected.translations_size(); ++i) {
      EXPECT_EQ(translation.strings[static_cast<size_t>(i)], expected.translations(i).translated_text());
    }
    EXPECT_EQ(score.floats[0], expected.translations(0).sentences(0).hypotheses(0).score());
    EXPECT_EQ(score.floats[2], 0);
  }
}

TEST_F(KserveParityTest, HypothesesAreTheSame) {
  const std::vector<std::string> texts = {"I would like to learn German.", "Where is the station?"};
  v1::TranslateRequest wanted = TranslateRequestOf(texts);
  wanted.mutable_options()->set_beam_size(4);
  wanted.mutable_options()->set_num_hypotheses(3);
  wanted.mutable_options()->set_length_penalty(0.6F);
  const auto expected = AskV1<v1::TranslateRequest, v1::TranslateResponse>(
      Server().Translation(), &v1::TranslationService::Stub::Translate, wanted);
  ModelInferRequest request = RawRequest(kModel, "text", texts);
  (*request.mutable_parameters())["beam_size"].set_int64_param(4);
  (*request.mutable_parameters())["num_hypotheses"].set_int64_param(3);
  (*request.mutable_parameters())["length_penalty"].set_double_param(0.6F);
  const ModelInferResponse response = InferOk(request);
  const AnswerTensor translation = TensorOf(response, "translation");
  const AnswerTensor score = TensorOf(response, "score");
  EXPECT_THAT(translation.shape, ElementsAre(2, 3));
  EXPECT_EQ(score.shape, translation.shape);
  for (size_t i = 0; i < 6; ++i) {
    const v1::SentenceTranslation& sentence = expected.translations(static_cast<int>(i / 3)).sentences(0);
    const v1::Hypothesis& hypothesis = sentence.hypotheses(static_cast<int>(i % 3));
    EXPECT_EQ(translation.strings[i], hypothesis.text());
    EXPECT_EQ(score.floats[i], hypothesis.score());
  }
}

TEST_F(KserveParityTest, SamplesAreTheSame) {
  v1::TranslateRequest wanted = TranslateRequestOf({"My brother lives in a small house."});
  wanted.mutable_options()->set_sample(true);
  wanted.mutable_options()->set_seed(7);
  wanted.mutable_options()->set_temperature(1.5F);
  const auto expected = AskV1<v1::TranslateRequest, v1::TranslateResponse>(
      Server().Translation(), &v1::TranslationService::Stub::Translate, wanted);
  ModelInferRequest request = RawRequest(kModel, "text", {"My brother lives in a small house."});
  (*request.mutable_parameters())["sample"].set_bool_param(true);
  (*request.mutable_parameters())["seed"].set_int64_param(7);
  (*request.mutable_parameters())["temperature"].set_double_param(1.5);
  EXPECT_EQ(TensorOf(InferOk(request), "translation").strings[0], expected.translations(0).translated_text());
}

TEST_F(KserveParityTest, TextThatIsNotUtf8IsReadAsTheOtherServiceReadsIt) {
  const AnswerTensor tensor = TensorOf(InferOk(RawRequest(kModel, "text", Sources())), "translation");
  EXPECT_EQ(tensor.strings.size(), Sources().size());
}

TEST_F(KserveParityTest, EmbeddingsAreTheSame) {
  v1::EmbedTextRequest wanted;
  wanted.set_model(kEmbedder);
  for (const char* text : {"Where did you buy this book?", "Rain.", "Wo hast du dieses Buch gekauft?"}) {
    wanted.add_texts(text);
  }
  const std::vector<std::string> texts(wanted.texts().begin(), wanted.texts().end());
  for (const int dimensions : {0, 64}) {
    wanted.set_dimensions(dimensions);
    wanted.set_normalize(dimensions == 0);
    const auto expected = AskV1<v1::EmbedTextRequest, v1::EmbedTextResponse>(
        v1::EmbeddingService::NewStub(Server().channel()), &v1::EmbeddingService::Stub::EmbedText, wanted);
    for (ModelInferRequest request :
         {RawRequest(kEmbedder, "text", texts), TypedRequest(kEmbedder, "text", texts)}) {
      (*request.mutable_parameters())["dimensions"].set_int64_param(dimensions);
      (*request.mutable_parameters())["normalize"].set_bool_param(dimensions == 0);
      const AnswerTensor embedding = TensorOf(InferOk(request), "embedding");
      EXPECT_THAT(embedding.shape, ElementsAre(3, dimensions == 0 ? 192 : 64));
      std::vector<float> values;
      for (const v1::TextEmbedding& one : expected.embeddings()) {
        values.insert(values.end(), one.vector().values().begin(), one.vector().values().end());
      }
      EXPECT_EQ(embedding.floats, values);
    }
  }
}

// "0.64902794:3:cat", as Triton's classification extension has it.
void ExpectClass(const std::string& text, const v1::Label& label) {
  const size_t first = text.find(':');
  EXPECT_EQ(std::stof(text.substr(0, first)), label.probability());
  EXPECT_EQ(text.substr(first), absl::StrCat(":", label.index(), ":", label.name()));
}

TEST_F(KserveParityTest, ClassesOfTextsAreTheSame) {
  v1::ClassifyTextRequest wanted;
  wanted.set_model(kClassifier);
  wanted.add_texts("Tom hat sein Fahrrad verkauft.");
  wanted.add_texts("Je voudrais un café.");
  wanted.set_return_logits(true);
  wanted.set_top_k(2);
  const auto expected = AskV1<v1::ClassifyTextRequest, v1::ClassifyTextResponse>(
      v1::ClassificationService::NewStub(Server().channel()), &v1::ClassificationService::Stub::ClassifyText,
      wanted);
  const std::vector<std::string> texts(wanted.texts().begin(), wanted.texts().end());
  ModelInferRequest request = RawRequest(kClassifier, "text", texts);
  const ModelInferResponse all = InferOk(request);
  EXPECT_EQ(all.outputs_size(), 2);
  const AnswerTensor logits = TensorOf(all, "logits");
  const AnswerTensor probabilities = TensorOf(all, "probabilities");
  EXPECT_THAT(logits.shape, ElementsAre(2, 4));
  auto& output = *request.add_outputs();
  output.set_name("probabilities");
  (*output.mutable_parameters())["classification"].set_int64_param(2);
  const ModelInferResponse best = InferOk(request);
  EXPECT_EQ(best.outputs_size(), 1);
  const AnswerTensor classes = TensorOf(best, "probabilities");
  EXPECT_THAT(classes.shape, ElementsAre(2, 2));
  for (int i = 0; i < 2; ++i) {
    const v1::TextClassification& one = expected.classifications(i);
    for (int c = 0; c < 4; ++c) EXPECT_EQ(logits.floats[static_cast<size_t>(4 * i + c)], one.logits(c));
    for (int k = 0; k < 2; ++k) {
      const v1::Label& label = one.labels(k);
      EXPECT_EQ(probabilities.floats[static_cast<size_t>(4 * i + label.index())], label.probability());
      ExpectClass(classes.strings[static_cast<size_t>(2 * i + k)], label);
    }
  }
}

TEST_F(KserveParityTest, ClassesOfImagesAreTheSame) {
  v1::ClassifyImageRequest wanted;
  wanted.set_model(kImageModel);
  for (const std::string& image : Images()) wanted.add_images(image);
  wanted.set_return_logits(true);
  wanted.set_top_k(10);
  const auto expected = AskV1<v1::ClassifyImageRequest, v1::ClassifyImageResponse>(
      v1::ClassificationService::NewStub(Server().channel()), &v1::ClassificationService::Stub::ClassifyImage,
      wanted);
  ModelInferRequest request = RawRequest(kImageModel, "image", Images());
  request.add_outputs()->set_name("logits");
  auto& classes = *request.add_outputs();
  classes.set_name("probabilities");
  (*classes.mutable_parameters())["classification"].set_int64_param(10);
  const ModelInferResponse response = InferOk(request);
  const AnswerTensor logits = TensorOf(response, "logits");
  const AnswerTensor labels = TensorOf(response, "probabilities");
  EXPECT_THAT(labels.shape, ElementsAre(2, 10));
  for (int i = 0; i < 20; ++i) {
    const v1::ImageClassification& one = expected.classifications(i / 10);
    EXPECT_EQ(logits.floats[static_cast<size_t>(i)], one.logits(i % 10));
    ExpectClass(labels.strings[static_cast<size_t>(i)], one.labels(i % 10));
  }
}

TEST_F(KserveParityTest, EmbeddingsOfImagesAreTheSame) {
  v1::EmbedImageRequest wanted;
  wanted.set_model(kImageModel);
  for (const std::string& image : Images()) wanted.add_images(image);
  for (const bool normalize : {false, true}) {
    wanted.set_normalize(normalize);
    const auto expected = AskV1<v1::EmbedImageRequest, v1::EmbedImageResponse>(
        v1::EmbeddingService::NewStub(Server().channel()), &v1::EmbeddingService::Stub::EmbedImage, wanted);
    ModelInferRequest request = TypedRequest(kImageModel, "image", Images());
    (*request.mutable_parameters())["normalize"].set_bool_param(normalize);
    const ModelInferResponse response = InferOk(request);
    EXPECT_EQ(response.outputs_size(), 3) << "all outputs, as none is named";
    const AnswerTensor embedding = TensorOf(response, "embedding");
    EXPECT_THAT(embedding.shape, ElementsAre(2, 192));
    for (size_t i = 0; i < embedding.floats.size(); ++i) {
      const v1::Vector& vector = expected.embeddings(static_cast<int>(i / 192)).vector();
      EXPECT_EQ(embedding.floats[i], vector.values(static_cast<int>(i % 192)));
    }
  }
}

}  // namespace
}  // namespace attendant
