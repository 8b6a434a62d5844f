#include "server/model_service.h"

#include "absl/strings/match.h"
#include "engine/base/status_macros.h"
#include "server/converters.h"
#include "server/simple_call.h"

namespace attendant {
namespace {

v1::Model::State StateToProto(ModelState state) {
  switch (state) {
    case ModelState::kLoading:
      return v1::Model::LOADING;
    case ModelState::kReady:
      return v1::Model::READY;
    case ModelState::kFailed:
      return v1::Model::FAILED;
    case ModelState::kUnloaded:
      return v1::Model::UNLOADED;
    case ModelState::kCount:
      break;
  }
  return v1::Model::STATE_UNSPECIFIED;
}

v1::ModelLimits DescribeLimits(const config::Limits& limits) {
  v1::ModelLimits result;
  result.set_max_contents(limits.max_contents());
  result.set_max_content_bytes(limits.max_content_bytes());
  result.set_max_request_bytes(limits.max_request_bytes());
  return result;
}

void Describe(const Translator::Info& info, v1::Model& result) {
  result.set_source_language_code(info.source_language);
  result.set_target_language_code(info.target_language);
  result.set_vocab_size(info.vocab_size);
  result.mutable_limits()->set_max_source_tokens(info.max_source_tokens);
  result.mutable_limits()->set_max_target_tokens(info.max_target_tokens);
  *result.mutable_default_options() = ToProto(info.default_decoding);
  result.mutable_ignored_generation_keys()->Add(info.ignored_generation_keys.begin(),
                                                info.ignored_generation_keys.end());
}

void Describe(const TextModel::Info& info, v1::Model& result) {
  result.set_vocab_size(info.encoder.vocab_size);
  result.set_embedding_dimensions(info.embedding_dim);
  result.mutable_limits()->set_max_source_tokens(info.max_tokens);
  result.mutable_limits()->set_max_text_tokens(info.max_tokens);
  result.mutable_labels()->Add(info.encoder.labels.begin(), info.encoder.labels.end());
  result.mutable_prompts()->Add(info.prompts.begin(), info.prompts.end());
}

void Describe(const ImageModel::Info& info, v1::Model& result) {
  result.set_embedding_dimensions(info.encoder.hidden_dim);
  result.set_image_width(info.encoder.image_width);
  result.set_image_height(info.encoder.image_height);
  result.mutable_labels()->Add(info.encoder.labels.begin(), info.encoder.labels.end());
}

}  // namespace

v1::Model DescribeModel(const ServedModel& model, const config::Limits& limits) {
  v1::Model result;
  result.set_name(model.name);
  result.set_state(StateToProto(model.state));
  result.set_state_message(model.state == ModelState::kLoading ? "still loading" : model.message);
  result.set_version(model.version);
  result.mutable_version_labels()->Add(model.labels.begin(), model.labels.end());
  if (model.state != ModelState::kReady) return result;
  const EngineModelSummary summary = Summarize(model.engine);
  result.set_architecture(std::string(summary.architecture));
  result.set_num_parameters(summary.num_parameters);
  result.set_weights_bytes(summary.weights_bytes);
  result.set_kv_cache_bytes(summary.kv_cache_bytes);
  result.set_num_workers(summary.num_workers);
  *result.mutable_load_time() = ToProto(summary.load_time);
  for (const Task task : kAllTasks) {
    if (model.engine.Serves(task)) result.add_tasks(std::string(TaskName(task)));
  }
  *result.mutable_limits() = DescribeLimits(limits);
  if (model.engine.text != nullptr) Describe(model.engine.text->info(), result);
  // After it: what both have is the translation's.
  if (model.engine.translator != nullptr) Describe(model.engine.translator->info(), result);
  if (model.engine.image != nullptr) Describe(model.engine.image->info(), result);
  return result;
}

grpc::ServerUnaryReactor* ModelServiceImpl::ListModels(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  return AnswerAtOnce<v1::ListModelsRequest, v1::ListModelsResponse>(
      {services_, *context, Method::kListModels, *request, *response}, [&](const v1::ListModelsRequest&) {
        v1::ListModelsResponse models;
        for (const ServedModel& model : services_.registry.List()) {
          *models.add_models() = DescribeModel(model, services_.limits);
        }
        return models;
      });
}

void ModelServiceImpl::AddOtherVersions(const ServedModel& model, v1::Model& found) const {
  for (const ServedModel& other : services_.registry.ListVersions()) {
    if (other.name != model.name || other.version == model.version) continue;
    *found.add_other_versions() = DescribeModel(other, services_.limits);
  }
}

grpc::ServerUnaryReactor* ModelServiceImpl::GetModel(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
  return AnswerAtOnce<v1::GetModelRequest, v1::Model>(
      {services_, *context, Method::kGetModel, *request, *response},
      [&](const v1::GetModelRequest& get) -> absl::StatusOr<v1::Model> {
        ATTENDANT_ASSIGN_OR_RETURN(const ServedModel model, services_.registry.Find(get.name()));
        v1::Model found = DescribeModel(model, services_.limits);
        if (!absl::StrContains(get.name(), '@')) AddOtherVersions(model, found);
        return found;
      });
}

}  // namespace attendant
