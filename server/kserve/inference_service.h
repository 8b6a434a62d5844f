#pragma once

#include <grpcpp/grpcpp.h>

#include "inference/open_inference_grpc.grpc.pb.h"
#include "server/health_service.h"
#include "server/kserve/repository_call.h"
#include "server/service_context.h"

namespace attendant::kserve {

// The methods that take their messages as bytes: all.
template <typename Base>
using RawServerMethods = inference::GRPCInferenceService::WithRawCallbackMethod_ServerLive<
    inference::GRPCInferenceService::WithRawCallbackMethod_ServerReady<
        inference::GRPCInferenceService::WithRawCallbackMethod_ServerMetadata<Base>>>;
template <typename Base>
using RawModelMethods = inference::GRPCInferenceService::WithRawCallbackMethod_ModelReady<
    inference::GRPCInferenceService::WithRawCallbackMethod_ModelMetadata<
        inference::GRPCInferenceService::WithRawCallbackMethod_ModelInfer<
            inference::GRPCInferenceService::WithRawCallbackMethod_ModelConfig<
                inference::GRPCInferenceService::WithRawCallbackMethod_ModelStatistics<Base>>>>>;
template <typename Base>
using RawRepositoryMethods = inference::GRPCInferenceService::WithRawCallbackMethod_RepositoryIndex<
    inference::GRPCInferenceService::WithRawCallbackMethod_RepositoryModelLoad<
        inference::GRPCInferenceService::WithRawCallbackMethod_RepositoryModelUnload<Base>>>;

// inference.GRPCInferenceService, the Open Inference Protocol, on gRPC's callback API. Thread-safe.
class InferenceServiceImpl final
    : public RawServerMethods<
          RawModelMethods<RawRepositoryMethods<inference::GRPCInferenceService::Service>>> {
 public:
  // What it needs besides the services' context. They outlive it.
  struct Parts {
    HealthServiceImpl& health;
    ModelManager& models;
    Door door;
  };
  InferenceServiceImpl(const ServiceContext& context, const Parts& parts)
      : services_(context), parts_(parts) {}

  grpc::ServerUnaryReactor* ServerLive(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ServerReady(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ServerMetadata(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ModelReady(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ModelConfig(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ModelStatistics(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* RepositoryIndex(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* RepositoryModelLoad(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* RepositoryModelUnload(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) override;

 private:
  const ServiceContext& services_;
  const Parts parts_;
};

}  // namespace attendant::kserve
