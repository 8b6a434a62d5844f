#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "inference/open_inference_grpc.grpc.pb.h"
#include "tests/integration/test_server.h"

namespace attendant {

inline constexpr char kClassifier[] = "classify-language";
inline constexpr char kEmbedder[] = "embed-en-de";
inline constexpr char kImageModel[] = "classify-cifar10";

// All models that ship.
config::ServerConfig ShippedModelsConfig();

// A request for a model with one BYTES input, raw as most clients send it.
inference::ModelInferRequest RawRequest(const std::string& model, const std::string& input,
                                        const std::vector<std::string>& elements);
// The same with typed contents.
inference::ModelInferRequest TypedRequest(const std::string& model, const std::string& input,
                                          const std::vector<std::string>& elements);

// One output of an answer, whichever form it came in.
struct AnswerTensor {
  std::string datatype;
  std::vector<int64_t> shape;
  std::vector<float> floats;         // FP32
  std::vector<std::string> strings;  // BYTES
};
// Fails the test if there is none, or if it is not of its shape.
AnswerTensor TensorOf(const inference::ModelInferResponse& response, const std::string& name);

// Tests of the Open Inference Protocol against a server with all models that ship.
class KserveTest : public testing::Test {
 protected:
  using Stub = inference::GRPCInferenceService::Stub;

  static TestServer& Server();
  static std::unique_ptr<Stub> StubOf(const TestServer& server = Server()) {
    return inference::GRPCInferenceService::NewStub(server.channel());
  }
  static grpc::Status Infer(const inference::ModelInferRequest& request,
                            inference::ModelInferResponse& response);
  static inference::ModelInferResponse InferOk(const inference::ModelInferRequest& request);
};

}  // namespace attendant
