#pragma once

#include <grpcpp/grpcpp.h>

#include "attendant/v1/admin_service.grpc.pb.h"
#include "server/repository/model_manager.h"
#include "server/service_context.h"

namespace attendant {

// attendant.v1.AdminService. Thread-safe.
class AdminServiceImpl final
    : public v1::AdminService::WithRawCallbackMethod_ListVersions<
          v1::AdminService::WithRawCallbackMethod_LoadModel<
              v1::AdminService::WithRawCallbackMethod_UnloadModel<v1::AdminService::Service>>> {
 public:
  // Both must outlive it.
  AdminServiceImpl(const ServiceContext& context, ModelManager& manager)
      : services_(context), manager_(manager) {}

  grpc::ServerUnaryReactor* ListVersions(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* LoadModel(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* UnloadModel(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;

 private:
  const ServiceContext& services_;
  ModelManager& manager_;
};

}  // namespace attendant
