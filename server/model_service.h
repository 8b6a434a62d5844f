#pragma once

#include <grpcpp/grpcpp.h>

#include "attendant/v1/model_service.grpc.pb.h"
#include "server/service_context.h"

namespace attendant {

// attendant.v1.ModelService.
class ModelServiceImpl final
    : public v1::ModelService::WithRawCallbackMethod_ListModels<
          v1::ModelService::WithRawCallbackMethod_GetModel<v1::ModelService::Service>> {
 public:
  explicit ModelServiceImpl(const ServiceContext& context) : services_(context) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;

 private:
  void AddOtherVersions(const ServedModel& model, v1::Model& found) const;

  const ServiceContext& services_;
};

// What the API says of a model.
v1::Model DescribeModel(const ServedModel& model, const config::Limits& limits);

}  // namespace attendant
