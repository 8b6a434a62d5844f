#include "server/kserve/inference_service.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/kserve/infer_call.h"
#include "server/kserve/model_description.h"
#include "server/kserve/repository_call.h"
#include "server/kserve/served_version.h"
#include "server/simple_call.h"
#include "server/version.h"

namespace attendant::kserve {
namespace {

// Of the models whose state the health service knows, too.
std::string HealthName(const ServedModel& model) {
  return absl::StrCat("models/", model.name);
}

}  // namespace

grpc::ServerUnaryReactor* InferenceServiceImpl::ServerLive(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return AnswerAtOnce<inference::ServerLiveRequest, inference::ServerLiveResponse>(
      {services_, *context, Method::kServerLive, *request, *response},
      [&](const inference::ServerLiveRequest& /*asked*/) -> absl::StatusOr<inference::ServerLiveResponse> {
        inference::ServerLiveResponse answer;
        answer.set_live(true);
        return answer;
      });
}

grpc::ServerUnaryReactor* InferenceServiceImpl::ServerReady(grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request,
                                                            grpc::ByteBuffer* response) {
  return AnswerAtOnce<inference::ServerReadyRequest, inference::ServerReadyResponse>(
      {services_, *context, Method::kServerReady, *request, *response},
      [&](const inference::ServerReadyRequest& /*asked*/) -> absl::StatusOr<inference::ServerReadyResponse> {
        inference::ServerReadyResponse answer;
        answer.set_ready(parts_.health.IsServing(""));
        return answer;
      });
}

grpc::ServerUnaryReactor* InferenceServiceImpl::ServerMetadata(grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* request,
                                                               grpc::ByteBuffer* response) {
  return AnswerAtOnce<inference::ServerMetadataRequest, inference::ServerMetadataResponse>(
      {services_, *context, Method::kServerMetadata, *request, *response},
      [&](const inference::ServerMetadataRequest& /*asked*/)
          -> absl::StatusOr<inference::ServerMetadataResponse> {
        inference::ServerMetadataResponse answer;
        answer.set_name("attendant");
        answer.set_version(std::string(kVersion));
        for (const char* extension : {"classification", "model_configuration", "model_repository", "parameters",
                                      "schedule_policy", "statistics"}) {
          answer.add_extensions(extension);
        }
        return answer;
      });
}

grpc::ServerUnaryReactor* InferenceServiceImpl::ModelReady(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return AnswerAtOnce<inference::ModelReadyRequest, inference::ModelReadyResponse>(
      {services_, *context, Method::kModelReady, *request, *response},
      [&](const inference::ModelReadyRequest& asked) -> absl::StatusOr<inference::ModelReadyResponse> {
        inference::ModelReadyResponse answer;
        const absl::StatusOr<ServedModel> model =
            FindModel(services_.registry, asked.name(), asked.version());
        if (!model.ok() && !absl::IsNotFound(model.status())) return model.status();
        answer.set_ready(model.ok() && parts_.health.IsServing(HealthName(*model)));
        return answer;
      });
}

grpc::ServerUnaryReactor* InferenceServiceImpl::ModelMetadata(grpc::CallbackServerContext* context,
                                                              const grpc::ByteBuffer* request,
                                                              grpc::ByteBuffer* response) {
  return AnswerAtOnce<inference::ModelMetadataRequest, inference::ModelMetadataResponse>(
      {services_, *context, Method::kModelMetadata, *request, *response},
      [&](const inference::ModelMetadataRequest& asked) -> absl::StatusOr<inference::ModelMetadataResponse> {
        ATTENDANT_ASSIGN_OR_RETURN(const ServedModel model,
                                   FindReadyModel(services_.registry, asked.name(), asked.version()));
        return DescribeTensors(model);
      });
}

grpc::ServerUnaryReactor* InferenceServiceImpl::ModelInfer(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  auto* call = new InferCall(services_, *context, *response);
  call->Start(*request);
  return call;
}

grpc::ServerUnaryReactor* InferenceServiceImpl::ModelConfig(grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request,
                                                            grpc::ByteBuffer* response) {
  return AnswerAtOnce<inference::ModelConfigRequest, inference::ModelConfigResponse>(
      {services_, *context, Method::kModelConfig, *request, *response},
      [&](const inference::ModelConfigRequest& asked) -> absl::StatusOr<inference::ModelConfigResponse> {
        ATTENDANT_ASSIGN_OR_RETURN(const ServedModel model,
                                   FindReadyModel(services_.registry, asked.name(), asked.version()));
        inference::ModelConfigResponse answer;
        *answer.mutable_config() = DescribeConfig(model, services_.limits);
        return answer;
      });
}

grpc::ServerUnaryReactor* InferenceServiceImpl::ModelStatistics(grpc::CallbackServerContext* context,
                                                                const grpc::ByteBuffer* request,
                                                                grpc::ByteBuffer* response) {
  return AnswerAtOnce<inference::ModelStatisticsRequest, inference::ModelStatisticsResponse>(
      {services_, *context, Method::kModelStatistics, *request, *response},
      [&](const inference::ModelStatisticsRequest& asked)
          -> absl::StatusOr<inference::ModelStatisticsResponse> {
        inference::ModelStatisticsResponse answer;
        if (!asked.name().empty()) {
          ATTENDANT_ASSIGN_OR_RETURN(const ServedModel model,
                                     FindModel(services_.registry, asked.name(), asked.version()));
          *answer.add_model_stats() = DescribeStatistics(model);
          return answer;
        }
        for (const ServedModel& model : services_.registry.List()) {
          *answer.add_model_stats() = DescribeStatistics(model);
        }
        return answer;
      });
}

grpc::ServerUnaryReactor* InferenceServiceImpl::RepositoryIndex(grpc::CallbackServerContext* context,
                                                                const grpc::ByteBuffer* request,
                                                                grpc::ByteBuffer* response) {
  return AnswerAtOnce<inference::RepositoryIndexRequest, inference::RepositoryIndexResponse>(
      {services_, *context, Method::kRepositoryIndex, *request, *response},
      [&](const inference::RepositoryIndexRequest& asked)
          -> absl::StatusOr<inference::RepositoryIndexResponse> {
        ATTENDANT_RETURN_IF_ERROR(
            Rejected(RejectReason::kInvalid, CheckRepositoryName(asked.repository_name())));
        return IndexOf(services_.registry, asked);
      });
}

grpc::ServerUnaryReactor* InferenceServiceImpl::RepositoryModelLoad(grpc::CallbackServerContext* context,
                                                                    const grpc::ByteBuffer* request,
                                                                    grpc::ByteBuffer* response) {
  return StartLoad({services_, *context, Method::kRepositoryModelLoad, *request, *response},
                   parts_.door, parts_.models);
}

grpc::ServerUnaryReactor* InferenceServiceImpl::RepositoryModelUnload(grpc::CallbackServerContext* context,
                                                                      const grpc::ByteBuffer* request,
                                                                      grpc::ByteBuffer* response) {
  return StartUnload({services_, *context, Method::kRepositoryModelUnload, *request, *response},
                     parts_.door, parts_.models);
}

}  // namespace attendant::kserve
