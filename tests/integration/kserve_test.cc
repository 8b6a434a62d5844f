// The Open Inference Protocol over real sockets: what it tells, what it refuses, and that it goes the way of
// all other calls.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <thread>

#include "absl/strings/numbers.h"
#include "tests/integration/kserve_fixture.h"

namespace attendant {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::ElementsAre;
using testing::HasSubstr;

using Service = inference::GRPCInferenceService;

template <typename Request, typename Response>
grpc::Status Ask(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 const Request& request, Response& response, const TestServer& server) {
  grpc::ClientContext context;
  const auto stub = Service::NewStub(server.channel());
  return ((*stub).*method)(&context, request, &response);
}

template <typename Request, typename Response>
Response AskOk(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request, const TestServer& server) {
  Response response;
  const grpc::Status status = Ask(method, request, response, server);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

template <typename Request>
Request Named(const std::string& name, const std::string& version = "") {
  Request request;
  request.set_name(name);
  request.set_version(version);
  return request;
}

bool IsModelReady(const std::string& name, const std::string& version, const TestServer& server) {
  return AskOk(&Service::Stub::ModelReady, Named<inference::ModelReadyRequest>(name, version), server)
      .ready();
}

TEST_F(KserveTest, ServerIsLiveAndReadyAndSaysWhatItIs) {
  EXPECT_TRUE(AskOk(&Service::Stub::ServerLive, inference::ServerLiveRequest(), Server()).live());
  EXPECT_TRUE(AskOk(&Service::Stub::ServerReady, inference::ServerReadyRequest(), Server()).ready());
  const auto metadata = AskOk(&Service::Stub::ServerMetadata, inference::ServerMetadataRequest(), Server());
  EXPECT_EQ(metadata.name(), "attendant");
  EXPECT_FALSE(metadata.version().empty());
  EXPECT_THAT(metadata.extensions(), testing::Contains("classification"));
  EXPECT_THAT(metadata.extensions(), testing::Contains("model_repository"));
}

TEST_F(KserveTest, ModelsAreReadyByNameAndVersion) {
  for (const char* name : {kModel, kClassifier, kEmbedder, kImageModel}) {
    EXPECT_TRUE(IsModelReady(name, "", Server())) << name;
    EXPECT_TRUE(IsModelReady(name, "1", Server())) << name;
    EXPECT_FALSE(IsModelReady(name, "2", Server())) << name;
  }
  EXPECT_FALSE(IsModelReady("nobody", "", Server()));
  inference::ModelReadyResponse response;
  EXPECT_EQ(Ask(&Service::Stub::ModelReady, Named<inference::ModelReadyRequest>("../x"), response, Server())
                .error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(KserveTest, DrainingServerIsLiveAndNotReady) {
  config::ServerConfig config = TestConfig();
  config.mutable_lifecycle()->set_drain_grace_ms(2000);
  TestServer server(config);
  EXPECT_TRUE(AskOk(&Service::Stub::ServerReady, inference::ServerReadyRequest(), server).ready());
  std::thread drain([&] { EXPECT_TRUE(server.server().Drain()); });
  EXPECT_TRUE(server.Eventually(
      [&] { return !AskOk(&Service::Stub::ServerReady, inference::ServerReadyRequest(), server).ready(); }));
  EXPECT_TRUE(AskOk(&Service::Stub::ServerLive, inference::ServerLiveRequest(), server).live());
  EXPECT_FALSE(IsModelReady(kModel, "", server));
  drain.join();
  ModelInferResponse response;
  EXPECT_EQ(
      Ask(&Service::Stub::ModelInfer, RawRequest(kModel, "text", {"Hello."}), response, server).error_code(),
      StatusCode::UNAVAILABLE);
}

std::vector<std::string> DescriptionOf(const std::string& model, const TestServer& server) {
  const auto metadata =
      AskOk(&Service::Stub::ModelMetadata, Named<inference::ModelMetadataRequest>(model), server);
  EXPECT_EQ(metadata.name(), model);
  EXPECT_THAT(metadata.versions(), ElementsAre("1"));
  std::vector<std::string> tensors;
  const auto describe = [&](const inference::ModelMetadataResponse::TensorMetadata& tensor) {
    tensors.push_back(tensor.name() + " " + tensor.datatype());
    for (const int64_t dim : tensor.shape()) tensors.back() += " " + std::to_string(dim);
  };
  for (const auto& tensor : metadata.inputs()) describe(tensor);
  for (const auto& tensor : metadata.outputs()) describe(tensor);
  return tensors;
}

TEST_F(KserveTest, ModelsTellTheirTensors) {
  EXPECT_THAT(DescriptionOf(kModel, Server()),
              ElementsAre("text BYTES -1 1", "translation BYTES -1 -1", "score FP32 -1 -1"));
  EXPECT_THAT(DescriptionOf(kEmbedder, Server()), ElementsAre("text BYTES -1 1", "embedding FP32 -1 192"));
  EXPECT_THAT(DescriptionOf(kClassifier, Server()),
              ElementsAre("text BYTES -1 1", "logits FP32 -1 4", "probabilities FP32 -1 4"));
  EXPECT_THAT(DescriptionOf(kImageModel, Server()),
              ElementsAre("image BYTES -1 1", "embedding FP32 -1 192", "logits FP32 -1 10",
                          "probabilities FP32 -1 10"));
}

TEST_F(KserveTest, ConfigurationSaysTheSameAsTheMetadata) {
  const inference::ModelConfig config =
      AskOk(&Service::Stub::ModelConfig, Named<inference::ModelConfigRequest>(kImageModel), Server())
          .config();
  EXPECT_EQ(config.name(), kImageModel);
  EXPECT_EQ(config.backend(), "attendant");
  EXPECT_EQ(config.platform(), "attendant_vit");
  EXPECT_EQ(config.max_batch_size(), 256);
  ASSERT_EQ(config.input_size(), 1);
  EXPECT_EQ(config.input(0).name(), "image");
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_STRING);
  ASSERT_EQ(config.output_size(), 3);
  EXPECT_EQ(config.output(0).data_type(), inference::TYPE_FP32);
  EXPECT_THAT(config.output(0).dims(), ElementsAre(192));
  EXPECT_EQ(config.dynamic_batching().priority_levels(), 21U);
  EXPECT_EQ(config.instance_group(0).kind(), inference::ModelInstanceGroup::KIND_CPU);
  EXPECT_GE(config.instance_group(0).count(), 1);
  EXPECT_EQ(config.parameters().at("tasks").string_value(), "embed_image,classify_image");
}

TEST_F(KserveTest, AnswerNamesModelVersionAndRequest) {
  ModelInferRequest request = RawRequest(kModel, "text", {"Hello."});
  request.set_id("request-17");
  request.set_model_version("1");
  const ModelInferResponse response = InferOk(request);
  EXPECT_EQ(response.model_name(), kModel);
  EXPECT_EQ(response.model_version(), "1");
  EXPECT_EQ(response.id(), "request-17");
}

TEST_F(KserveTest, AnswerHasTheFormOfTheRequestAndOnlyWhatWasAskedFor) {
  ModelInferRequest raw = RawRequest(kModel, "text", {"Hello."});
  raw.add_outputs()->set_name("score");
  const ModelInferResponse in_raw = InferOk(raw);
  EXPECT_EQ(in_raw.outputs_size(), 1);
  EXPECT_EQ(in_raw.raw_output_contents_size(), 1);
  EXPECT_FALSE(in_raw.outputs(0).has_contents());
  ModelInferRequest typed = TypedRequest(kModel, "text", {"Hello."});
  const ModelInferResponse in_typed = InferOk(typed);
  EXPECT_EQ(in_typed.outputs_size(), 2);
  EXPECT_EQ(in_typed.raw_output_contents_size(), 0);
  EXPECT_EQ(in_typed.outputs(0).contents().bytes_contents_size(), 1);
}

TEST_F(KserveTest, OutputsThatAreNotAskedForAreNotComputed) {
  const auto num_encoded = [] {
    return Server().Metric("attendant_texts_total", std::string("model=\"") + kImageModel + "\"");
  };
  std::ifstream file(ATTENDANT_SOURCE_DIR "/docs/samples/cat.jpg", std::ios::binary);
  const std::string image{std::istreambuf_iterator<char>(file), {}};
  ModelInferRequest request = RawRequest(kImageModel, "image", {image});
  const double before = num_encoded();
  InferOk(request);
  EXPECT_EQ(num_encoded(), before + 2) << "once for the embedding, once for the classes";
  request.add_outputs()->set_name("logits");
  request.add_outputs()->set_name("probabilities");
  InferOk(request);
  EXPECT_EQ(num_encoded(), before + 3);
}

struct BadCase {
  const char* name;
  StatusCode code;
  const char* message;
  std::function<void(ModelInferRequest&)> spoil;
};

const std::vector<BadCase>& BadCases() {
  static const std::vector<BadCase> cases = {
      {"no model", StatusCode::INVALID_ARGUMENT, "name", [](auto& r) { r.set_model_name(""); }},
      {"path", StatusCode::INVALID_ARGUMENT, "name", [](auto& r) { r.set_model_name("../en-de"); }},
      {"unknown model", StatusCode::NOT_FOUND, "model", [](auto& r) { r.set_model_name("nobody"); }},
      {"version", StatusCode::NOT_FOUND, "version", [](auto& r) { r.set_model_version("2"); }},
      {"no input", StatusCode::INVALID_ARGUMENT, "inputs: there are 0", [](auto& r) { r.clear_inputs(); }},
      {"17 inputs", StatusCode::INVALID_ARGUMENT, "inputs: more than the limit of 16",
       [](auto& r) {
         while (r.inputs_size() < 17) r.add_inputs();
       }},
      {"unknown input", StatusCode::INVALID_ARGUMENT, "inputs[0].name",
       [](auto& r) { r.mutable_inputs(0)->set_name("txt"); }},
      {"type", StatusCode::INVALID_ARGUMENT, "inputs[0].datatype",
       [](auto& r) { r.mutable_inputs(0)->set_datatype("FP32"); }},
      {"shape", StatusCode::INVALID_ARGUMENT, "inputs[0].shape",
       [](auto& r) { r.mutable_inputs(0)->set_shape(0, -1); }},
      {"product", StatusCode::INVALID_ARGUMENT, "inputs[0].shape",
       [](auto& r) {
         r.mutable_inputs(0)->set_shape(0, int64_t{1} << 62);
         r.mutable_inputs(0)->add_shape(int64_t{1} << 62);
       }},
      {"too many", StatusCode::INVALID_ARGUMENT, "inputs[0].shape: 257",
       [](auto& r) { r.mutable_inputs(0)->set_shape(0, 257); }},
      {"missing bytes", StatusCode::INVALID_ARGUMENT, "raw_input_contents[0]",
       [](auto& r) { r.mutable_raw_input_contents(0)->pop_back(); }},
      {"both forms", StatusCode::INVALID_ARGUMENT, "together with raw_input_contents",
       [](auto& r) { r.mutable_inputs(0)->mutable_contents()->add_bytes_contents("x"); }},
      {"unknown output", StatusCode::INVALID_ARGUMENT, "outputs[0].name",
       [](auto& r) { r.add_outputs()->set_name("embedding"); }},
      {"unknown parameter", StatusCode::INVALID_ARGUMENT, "parameters.beams",
       [](auto& r) { (*r.mutable_parameters())["beams"].set_int64_param(4); }},
      {"range", StatusCode::INVALID_ARGUMENT, "parameters.beam_size: 33",
       [](auto& r) { (*r.mutable_parameters())["beam_size"].set_int64_param(33); }},
      {"only the model can tell", StatusCode::INVALID_ARGUMENT, "text[0]",
       [](auto& r) { (*r.mutable_parameters())["max_length"].set_int64_param(1'000'000); }},
  };
  return cases;
}

TEST_F(KserveTest, BadRequestsNameWhatIsWrong) {
  for (const BadCase& bad : BadCases()) {
    ModelInferRequest request = RawRequest(kModel, "text", {"Hello."});
    bad.spoil(request);
    ModelInferResponse response;
    const grpc::Status status = Infer(request, response);
    EXPECT_EQ(status.error_code(), bad.code) << bad.name << ": " << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(bad.message)) << bad.name;
  }
  InferOk(RawRequest(kModel, "text", {"Hello."}));
}

TEST_F(KserveTest, BrokenImagesAreNamed) {
  ModelInferResponse response;
  const grpc::Status status = Infer(RawRequest(kImageModel, "image", {"GIF89a"}), response);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("image[0]"));
  EXPECT_THAT(Server().Scrape(), HasSubstr("reason=\"image\""));
}

TEST_F(KserveTest, BatchesUpToTheLimitAreAnswered) {
  for (const int count : {255, 256, 257}) {
    const std::vector<std::string> texts(static_cast<size_t>(count), "Hello.");
    ModelInferResponse response;
    const grpc::Status status = Infer(RawRequest(kClassifier, "text", texts), response);
    EXPECT_EQ(status.ok(), count <= 256) << count;
    if (!status.ok()) continue;
    EXPECT_THAT(TensorOf(response, "logits").shape, ElementsAre(count, 4));
  }
}

TEST_F(KserveTest, TextsHaveTheirOwnLimitOfAMessage) {
  config::ServerConfig config = TestConfig();
  config.mutable_limits()->set_max_request_bytes(2000);
  const TestServer server(config);
  ModelInferRequest request = RawRequest(kModel, "text", {"Hello."});
  for (const int excess : {-1, 0, 1}) {
    request.clear_id();
    const auto bytes = static_cast<int>(request.ByteSizeLong());
    request.set_id(std::string(static_cast<size_t>(2000 - bytes - 3 + excess), 'i'));  // Tag and length: 3.
    ASSERT_EQ(static_cast<int>(request.ByteSizeLong()), 2000 + excess);
    ModelInferResponse response;
    const grpc::Status status = Ask(&Service::Stub::ModelInfer, request, response, server);
    EXPECT_EQ(status.error_code(), excess <= 0 ? StatusCode::OK : StatusCode::RESOURCE_EXHAUSTED) << excess;
  }
}

// Sends bytes as they are, whatever the client's protobuf would say.
grpc::Status SendBytes(const std::string& bytes, const TestServer& server) {
  grpc::ClientContext context;
  const grpc::Slice slice(bytes);
  grpc::ByteBuffer buffer(&slice, 1);
  grpc::ByteBuffer answer;
  std::promise<grpc::Status> done;
  grpc::GenericStub(server.channel())
      .UnaryCall(&context, "/inference.GRPCInferenceService/ModelInfer", {}, &buffer, &answer,
                 [&](grpc::Status ended) { done.set_value(std::move(ended)); });
  return done.get_future().get();
}

TEST_F(KserveTest, NamesThatAreNotUtf8AreRefusedWithoutALineInTheLog) {
  Server();
  testing::internal::CaptureStderr();
  const grpc::Status status = SendBytes(std::string("\x0a\x01\xff", 3), Server());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("UTF-8"));
}

TEST_F(KserveTest, MebibytesOfEmptyInputsCostNoMemory) {
  std::string bytes;
  while (bytes.size() < 4 << 20) bytes += std::string("\x2a\x00", 2);
  const double before = Server().Metric("process_resident_memory_bytes");
  const grpc::Status status = SendBytes(bytes, Server());
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("inputs: more than"));
  EXPECT_LT(Server().Metric("process_resident_memory_bytes") - before, 64 << 20);
}

TEST_F(KserveTest, GzipIsUnderstood) {
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  ModelInferResponse response;
  const ModelInferRequest request = RawRequest(kModel, "text", {"Where is the station?"});
  ASSERT_TRUE(StubOf()->ModelInfer(&context, request, &response).ok());
  EXPECT_EQ(TensorOf(response, "translation").strings, TensorOf(InferOk(request), "translation").strings);
}

TEST_F(KserveTest, TimeoutAndDeadlineStopTheWork) {
  ModelInferRequest request = RawRequest(kModel, "text", {LongText(200)});
  (*request.mutable_parameters())["beam_size"].set_int64_param(8);
  (*request.mutable_parameters())["timeout"].set_int64_param(20'000);
  ModelInferResponse response;
  EXPECT_EQ(Infer(request, response).error_code(), StatusCode::DEADLINE_EXCEEDED);
  request.mutable_parameters()->erase("timeout");
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
  EXPECT_EQ(StubOf()->ModelInfer(&context, request, &response).error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Server().Eventually([] {
    return Server().Metric("attendant_requests_in_flight", "model=\"translate-en-de\"") == 0 &&
           Server().Metric("attendant_queue_depth") == 0;
  }));
}

TEST_F(KserveTest, CancelledCallsLeaveNothingBehind) {
  ModelInferRequest request = RawRequest(kModel, "text", {LongText(200)});
  (*request.mutable_parameters())["beam_size"].set_int64_param(8);
  grpc::ClientContext context;
  std::thread cancel([&] {
    Server().Eventually(
        [] { return Server().Metric("attendant_requests_in_flight", "model=\"translate-en-de\"") > 0; });
    context.TryCancel();
  });
  ModelInferResponse response;
  EXPECT_EQ(StubOf()->ModelInfer(&context, request, &response).error_code(), StatusCode::CANCELLED);
  cancel.join();
  EXPECT_TRUE(Server().Eventually([] {
    return Server().Metric("attendant_requests_in_flight", "model=\"translate-en-de\"") == 0 &&
           Server().Metric("attendant_queue_depth") == 0;
  }));
}

TEST_F(KserveTest, FullQueueSaysWhenToComeAgain) {
  constexpr int kQueue = 40;
  config::ServerConfig config = TestConfig();
  config.mutable_scheduler()->set_max_queue(kQueue);
  config.mutable_scheduler()->set_max_running(1);
  config.mutable_engine()->set_num_workers(1);
  const TestServer small(config);
  ModelInferRequest request =
      RawRequest(kModel, "text",
                 std::vector<std::string>(
                     kQueue, "I would like to talk about the long summer that we spent near the sea."));
  (*request.mutable_parameters())["beam_size"].set_int64_param(8);
  std::thread first([&] { AskOk(&Service::Stub::ModelInfer, request, small); });
  EXPECT_TRUE(small.Eventually([&] { return small.Metric("attendant_queue_depth") > kQueue / 2; }));
  grpc::ClientContext context;
  ModelInferResponse response;
  const grpc::Status status = Service::NewStub(small.channel())->ModelInfer(&context, request, &response);
  first.join();
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto hint = trailing.find("retry-after-ms");
  ASSERT_NE(hint, trailing.end());
  int milliseconds = 0;
  EXPECT_TRUE(absl::SimpleAtoi(std::string(hint->second.data(), hint->second.size()), &milliseconds));
  EXPECT_GE(milliseconds, 50);
}

TEST_F(KserveTest, StatisticsCountWhatWasDoneInEveryProtocol) {
  const TestServer server;
  const auto statistics = [&] {
    const auto all =
        AskOk(&Service::Stub::ModelStatistics, Named<inference::ModelStatisticsRequest>(kModel), server);
    EXPECT_EQ(all.model_stats_size(), 1);
    return all.model_stats(0);
  };
  EXPECT_EQ(statistics().inference_count(), 0U);
  EXPECT_EQ(statistics().last_inference(), 0U);
  AskOk(&Service::Stub::ModelInfer, RawRequest(kModel, "text", {"One.", "Two.", "Three."}), server);
  v1::TranslateResponse translation;
  EXPECT_TRUE(server.Translate(Request("Four."), translation).ok());
  ModelInferRequest bad = RawRequest(kModel, "text", {"Hello."});
  bad.add_outputs()->set_name("nothing");
  ModelInferResponse response;
  EXPECT_FALSE(Ask(&Service::Stub::ModelInfer, bad, response, server).ok());
  // gRPC may tell the client before the reactor is done.
  EXPECT_TRUE(server.Eventually([&] {
    const auto now = statistics();
    return now.inference_stats().success().count() == 2 && now.inference_stats().fail().count() == 1;
  }));
  const inference::ModelStatistics end = statistics();
  EXPECT_EQ(end.version(), "1");
  EXPECT_EQ(end.inference_count(), 4U);
  EXPECT_GE(end.execution_count(), 2U);
  EXPECT_GT(end.last_inference(), 1'600'000'000'000U);
  EXPECT_GT(end.inference_stats().success().ns(), 0U);
  EXPECT_EQ(end.inference_stats().queue().count(), 4U);
  EXPECT_GT(end.inference_stats().compute_infer().ns(), 0U);
  EXPECT_EQ(server.Metric("attendant_requests_total", "method=\"ModelInfer\",code=\"OK\""), 1);
  const auto all = AskOk(&Service::Stub::ModelStatistics, inference::ModelStatisticsRequest(), Server());
  EXPECT_EQ(all.model_stats_size(), 4);
}

TEST_F(KserveTest, IndexListsEveryModel) {
  inference::RepositoryIndexRequest request;
  const auto index = AskOk(&Service::Stub::RepositoryIndex, request, Server());
  ASSERT_EQ(index.models_size(), 4);
  for (const auto& model : index.models()) {
    EXPECT_EQ(model.version(), "1");
    EXPECT_EQ(model.state(), "READY");
    EXPECT_EQ(model.reason(), "");
  }
  request.set_repository_name("other");
  inference::RepositoryIndexResponse response;
  EXPECT_EQ(Ask(&Service::Stub::RepositoryIndex, request, response, Server()).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(KserveTest, FailedModelIsInTheIndexWithItsReasonAndNowhereElse) {
  config::ServerConfig config = TestConfig();
  config::ModelConfig& broken = *config.add_model();
  broken.set_name("broken");
  broken.set_path("/nonexistent");
  const TestServer server(config);
  inference::RepositoryIndexRequest request;
  const auto index = AskOk(&Service::Stub::RepositoryIndex, request, server);
  ASSERT_EQ(index.models_size(), 2);
  EXPECT_EQ(index.models(0).state(), "UNAVAILABLE");
  EXPECT_THAT(index.models(0).reason(), testing::Not(testing::IsEmpty()));
  request.set_ready(true);
  EXPECT_EQ(AskOk(&Service::Stub::RepositoryIndex, request, server).models_size(), 1);
  EXPECT_FALSE(IsModelReady("broken", "", server));
  ModelInferResponse response;
  EXPECT_EQ(
      Ask(&Service::Stub::ModelInfer, RawRequest("broken", "text", {"x"}), response, server).error_code(),
      StatusCode::FAILED_PRECONDITION);
}

TEST_F(KserveTest, WithoutKeysLoadAndUnloadAreForTheAdminListener) {
  inference::RepositoryModelLoadRequest load;
  load.set_model_name(kModel);
  inference::RepositoryModelLoadResponse loaded;
  EXPECT_EQ(Ask(&Service::Stub::RepositoryModelLoad, load, loaded, Server()).error_code(),
            StatusCode::PERMISSION_DENIED);
  inference::RepositoryModelUnloadRequest unload;
  unload.set_model_name(kModel);
  (*unload.mutable_parameters())["unload_dependents"].set_bool_param(false);
  inference::RepositoryModelUnloadResponse unloaded;
  EXPECT_EQ(Ask(&Service::Stub::RepositoryModelUnload, unload, unloaded, Server()).error_code(),
            StatusCode::PERMISSION_DENIED);
}

TEST_F(KserveTest, AdminListenerLoadsAndUnloads) {
  config::ServerConfig config = TestConfig();
  config.set_admin_address("127.0.0.1:0");
  TestServer server(config);
  const auto stub = Service::NewStub(Connect(server.server().admin_port()));
  inference::RepositoryModelLoadRequest load;
  load.set_model_name(kModel);
  const auto load_it = [&] {
    grpc::ClientContext context;
    inference::RepositoryModelLoadResponse loaded;
    return stub->RepositoryModelLoad(&context, load, &loaded).error_code();
  };
  inference::RepositoryModelUnloadRequest unload;
  unload.set_model_name(kModel);
  (*unload.mutable_parameters())["unload_dependents"].set_bool_param(false);
  const auto unload_it = [&] {
    grpc::ClientContext context;
    inference::RepositoryModelUnloadResponse unloaded;
    return stub->RepositoryModelUnload(&context, unload, &unloaded).error_code();
  };
  EXPECT_EQ(unload_it(), StatusCode::OK);
  EXPECT_FALSE(IsModelReady(kModel, "", server));
  EXPECT_EQ(
      AskOk(&Service::Stub::RepositoryIndex, inference::RepositoryIndexRequest(), server).models(0).state(),
      "UNAVAILABLE");
  EXPECT_EQ(load_it(), StatusCode::OK);
  EXPECT_TRUE(IsModelReady(kModel, "", server));
  load.set_model_name("nobody-has-this");
  EXPECT_EQ(load_it(), StatusCode::NOT_FOUND);
  unload.set_model_name("../../etc");
  EXPECT_EQ(unload_it(), StatusCode::INVALID_ARGUMENT);
  load.set_model_name(kModel);
  (*load.mutable_parameters())["config"].set_string_param("{}");
  EXPECT_EQ(load_it(), StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace attendant
