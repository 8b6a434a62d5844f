#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/integration/test_server.h"

namespace attendant {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using testing::HasSubstr;

TEST(HealthTest, CheckKnowsTheServerItsServicesAndItsModels) {
  const auto stub = TestServer::Shared().Health();
  const std::vector<std::string> services = {"", "attendant.v1.TranslationService",
                                             "attendant.v1.ModelService", "inference.GRPCInferenceService",
                                             "models/translate-en-de"};
  for (const std::string& service : services) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    ASSERT_TRUE(stub->Check(&context, request, &response).ok()) << service;
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING) << service;
  }
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service("none");
  HealthCheckResponse response;
  EXPECT_EQ(stub->Check(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  grpc::ClientContext list_context;
  grpc::health::v1::HealthListResponse list;
  ASSERT_TRUE(stub->List(&list_context, {}, &list).ok());
  constexpr int kOthers = 2;
  EXPECT_EQ(list.statuses_size(), static_cast<int>(services.size()) + kOthers);
  for (const char* service : {"attendant.v1.EmbeddingService", "attendant.v1.ClassificationService"}) {
    EXPECT_EQ(list.statuses().at(service).status(), HealthCheckResponse::NOT_SERVING)
        << "this server has no model for it";
  }
}

TEST(HealthTest, WatchOfAnUnknownServiceSaysSo) {
  const auto stub = TestServer::Shared().Health();
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service("none");
  const auto reader = stub->Watch(&context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST(HealthTest, DrainIsWatchedAndEndsTheWatch) {
  TestServer server;
  const auto stub = server.Health();
  grpc::ClientContext context;
  const auto reader = stub->Watch(&context, {});
  HealthCheckResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  std::thread drain([&] { EXPECT_TRUE(server.server().Drain()); });
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  drain.join();
  v1::TranslateResponse translation;
  EXPECT_EQ(server.Translate(Request("Hello."), translation).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(HealthTest, ReflectionListsTheServices) {
  // ServerReflectionRequest{list_services: "*"}, in bytes: the schema is not among gRPC's installed files.
  grpc::GenericStub stub(TestServer::Shared().channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  const auto wait = [&] { return queue.Next(&tag, &ok) && ok; };
  const auto call =
      stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  call->StartCall(nullptr);
  ASSERT_TRUE(wait());
  const grpc::Slice slice("\x3a\x01*");
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  ASSERT_TRUE(wait());
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  ASSERT_TRUE(wait());
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(answer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& s : slices) bytes.append(reinterpret_cast<const char*>(s.begin()), s.size());
  for (const char* service :
       {"attendant.v1.TranslationService", "attendant.v1.ModelService", "grpc.health.v1.Health"}) {
    EXPECT_THAT(bytes, HasSubstr(service));
  }
  context.TryCancel();
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
}

}  // namespace
}  // namespace attendant
