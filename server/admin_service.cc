#include "server/admin_service.h"

#include <string>

#include "engine/base/status_macros.h"
#include "server/model_service.h"
#include "server/simple_call.h"

namespace attendant {

grpc::ServerUnaryReactor* AdminServiceImpl::ListVersions(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* response) {
  return AnswerAtOnce<v1::ListVersionsRequest, v1::ListVersionsResponse>(
      {services_, *context, Method::kListVersions, *request, *response}, [&](const v1::ListVersionsRequest&) {
        v1::ListVersionsResponse versions;
        for (const ServedModel& model : services_.registry.ListVersions()) {
          *versions.add_versions() = DescribeModel(model, services_.limits);
        }
        return versions;
      });
}

grpc::ServerUnaryReactor* AdminServiceImpl::LoadModel(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request,
                                                      grpc::ByteBuffer* response) {
  return AnswerLater<v1::LoadModelRequest>(
      {services_, *context, Method::kLoadModel, *request, *response},
      [&](const v1::LoadModelRequest& load, auto finish) {
        manager_.Load(load.name(), [this, name = load.name(), finish](absl::Status status) {
          v1::LoadModelResponse answer;
          if (status.ok()) {
            const absl::StatusOr<ServedModel> model = services_.registry.Find(name);
            status = model.status();
            if (model.ok()) *answer.mutable_model() = DescribeModel(*model, services_.limits);
          }
          finish(status, answer);
        });
      });
}

grpc::ServerUnaryReactor* AdminServiceImpl::UnloadModel(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request,
                                                        grpc::ByteBuffer* response) {
  return AnswerLater<v1::UnloadModelRequest>(
      {services_, *context, Method::kUnloadModel, *request, *response},
      [&](const v1::UnloadModelRequest& unload, auto finish) {
        manager_.Unload(unload.name(),
                        [finish](const absl::Status& status) { finish(status, v1::UnloadModelResponse()); });
      });
}

}  // namespace attendant
