#include "server/model_service.h"

#include "engine/base/status_macros.h"
#include "server/converters.h"
#include "server/simple_call.h"

namespace attendant {
namespace {

v1::Model::State ToProto(ModelState state) {
  switch (state) {
    case ModelState::kLoading:
      return v1::Model::LOADING;
    case ModelState::kReady:
      return v1::Model::READY;
    case ModelState::kFailed:
      return v1::Model::FAILED;
    case ModelState::kCount:
      break;
  }
  return v1::Model::STATE_UNSPECIFIED;
}

v1::ModelLimits DescribeLimits(const Translator::Info& info, const config::Limits& limits) {
  v1::ModelLimits result;
  result.set_max_source_tokens(info.max_source_tokens);
  result.set_max_target_tokens(info.max_target_tokens);
  result.set_max_contents(limits.max_contents());
  result.set_max_content_bytes(limits.max_content_bytes());
  result.set_max_request_bytes(limits.max_request_bytes());
  return result;
}

}  // namespace

v1::Model DescribeModel(const ServedModel& model, const config::Limits& limits) {
  v1::Model result;
  result.set_name(model.name);
  result.set_state(ToProto(model.state));
  result.set_state_message(model.state == ModelState::kLoading ? "still loading" : model.message);
  if (model.state != ModelState::kReady) return result;
  const Translator::Info& info = model.translator->info();
  result.set_architecture(info.architecture);
  result.set_source_language_code(info.source_language);
  result.set_target_language_code(info.target_language);
  result.set_num_parameters(info.num_parameters);
  result.set_weights_bytes(info.weights_bytes);
  result.set_vocab_size(info.vocab_size);
  result.set_num_workers(info.num_workers);
  result.set_kv_cache_bytes(info.kv_cache_bytes);
  *result.mutable_load_time() = attendant::ToProto(info.load_time);
  *result.mutable_limits() = DescribeLimits(info, limits);
  *result.mutable_default_options() = attendant::ToProto(info.default_decoding);
  result.mutable_ignored_generation_keys()->Add(info.ignored_generation_keys.begin(),
                                                info.ignored_generation_keys.end());
  return result;
}

grpc::ServerUnaryReactor* ModelServiceImpl::ListModels(grpc::CallbackServerContext* /*context*/,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  return AnswerAtOnce<v1::ListModelsRequest, v1::ListModelsResponse>(
      {services_, Method::kListModels, *request, *response}, [&](const v1::ListModelsRequest&) {
        v1::ListModelsResponse models;
        for (const ServedModel& model : services_.registry.List()) {
          *models.add_models() = DescribeModel(model, services_.limits);
        }
        return models;
      });
}

grpc::ServerUnaryReactor* ModelServiceImpl::GetModel(grpc::CallbackServerContext* /*context*/,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
  return AnswerAtOnce<v1::GetModelRequest, v1::Model>(
      {services_, Method::kGetModel, *request, *response},
      [&](const v1::GetModelRequest& get) -> absl::StatusOr<v1::Model> {
        ATTENDANT_ASSIGN_OR_RETURN(const ServedModel model, services_.registry.Find(get.name()));
        return DescribeModel(model, services_.limits);
      });
}

}  // namespace attendant
