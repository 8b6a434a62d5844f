#include "tests/integration/kserve_fixture.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

ModelInferRequest RequestOf(const std::string& model, const std::string& input, size_t count) {
  ModelInferRequest request;
  request.set_model_name(model);
  ModelInferRequest::InferInputTensor& tensor = *request.add_inputs();
  tensor.set_name(input);
  tensor.set_datatype("BYTES");
  tensor.add_shape(static_cast<int64_t>(count));
  return request;
}

// A second reading of the format, which owes nothing to the server's.
std::vector<std::string> StringsOf(const std::string& raw) {
  std::vector<std::string> strings;
  for (size_t at = 0; at + 4 <= raw.size();) {
    uint32_t length;
    std::memcpy(&length, raw.data() + at, 4);
    strings.push_back(raw.substr(at + 4, length));
    at += 4 + length;
  }
  return strings;
}

std::vector<float> FloatsOf(const std::string& raw) {
  std::vector<float> floats(raw.size() / sizeof(float));
  std::memcpy(floats.data(), raw.data(), floats.size() * sizeof(float));
  return floats;
}

}  // namespace

config::ServerConfig ShippedModelsConfig() {
  config::ServerConfig config = TestConfig();
  for (const char* name : {kClassifier, kEmbedder, kImageModel}) {
    config::ModelConfig& model = *config.add_model();
    model.set_name(name);
    model.set_path(absl::StrCat(ATTENDANT_SOURCE_DIR, "/models/", name));
  }
  return config;
}

ModelInferRequest RawRequest(const std::string& model, const std::string& input,
                             const std::vector<std::string>& elements) {
  ModelInferRequest request = RequestOf(model, input, elements.size());
  std::string& raw = *request.add_raw_input_contents();
  for (const std::string& element : elements) {
    const auto length = static_cast<uint32_t>(element.size());
    raw.append(reinterpret_cast<const char*>(&length), sizeof(length));
    raw += element;
  }
  return request;
}

ModelInferRequest TypedRequest(const std::string& model, const std::string& input,
                               const std::vector<std::string>& elements) {
  ModelInferRequest request = RequestOf(model, input, elements.size());
  for (const std::string& element : elements) {
    request.mutable_inputs(0)->mutable_contents()->add_bytes_contents(element);
  }
  return request;
}

AnswerTensor TensorOf(const ModelInferResponse& response, const std::string& name) {
  AnswerTensor tensor;
  for (int i = 0; i < response.outputs_size(); ++i) {
    const ModelInferResponse::InferOutputTensor& output = response.outputs(i);
    if (output.name() != name) continue;
    tensor.datatype = output.datatype();
    tensor.shape.assign(output.shape().begin(), output.shape().end());
    const auto& typed = output.contents();
    tensor.strings.assign(typed.bytes_contents().begin(), typed.bytes_contents().end());
    tensor.floats.assign(typed.fp32_contents().begin(), typed.fp32_contents().end());
    if (i < response.raw_output_contents_size()) {
      const std::string& raw = response.raw_output_contents(i);
      if (tensor.datatype == "BYTES") {
        tensor.strings = StringsOf(raw);
      } else {
        tensor.floats = FloatsOf(raw);
      }
    }
  }
  size_t product = 1;
  for (const int64_t dim : tensor.shape) product *= static_cast<size_t>(dim);
  EXPECT_EQ(tensor.strings.size() + tensor.floats.size(), product) << name;
  EXPECT_FALSE(tensor.shape.empty()) << "no output " << name;
  return tensor;
}

TestServer& KserveTest::Server() {
  static TestServer server(ShippedModelsConfig());
  return server;
}

grpc::Status KserveTest::Infer(const ModelInferRequest& request, ModelInferResponse& response) {
  grpc::ClientContext context;
  return StubOf()->ModelInfer(&context, request, &response);
}

ModelInferResponse KserveTest::InferOk(const ModelInferRequest& request) {
  ModelInferResponse response;
  const grpc::Status status = Infer(request, response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

}  // namespace attendant
