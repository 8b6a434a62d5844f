#include "server/engine_loader.h"

#include <memory>
#include <utility>

#include "engine/base/status_macros.h"
#include "engine/models/registry.h"

namespace attendant {
namespace {

SchedulerOptions SchedulerOptionsOf(const config::SchedulerConfig& config,
                                    std::shared_ptr<CoreShares::Model> cores) {
  SchedulerOptions options;
  options.cores = std::move(cores);
  options.max_queue = config.max_queue();
  options.max_wait = std::chrono::milliseconds(config.max_queue_ms());
  options.limits.max_rows = config.max_rows();
  options.limits.max_encode_tokens = config.max_encode_tokens();
  options.limits.max_running = config.max_running();
  options.limits.priority_step = std::chrono::milliseconds(config.priority_step_ms());
  return options;
}

int32_t NumWorkersOf(const config::ServerConfig& config, const config::ModelConfig& model) {
  return model.has_num_workers() ? model.num_workers() : config.engine().num_workers();
}

TranslatorOptions TranslatorOptionsOf(const config::ServerConfig& config, const config::ModelConfig& model,
                                      std::shared_ptr<CoreShares::Model> cores) {
  TranslatorOptions options;
  options.num_workers = NumWorkersOf(config, model);
  options.kv_cache_bytes =
      model.has_kv_cache_bytes() ? model.kv_cache_bytes() : config.engine().kv_cache_bytes();
  options.tokenize_threads = config.engine().tokenize_threads();
  options.max_text_bytes = static_cast<int32_t>(config.limits().max_content_bytes());
  options.max_sentences = config.limits().max_sentences();
  options.max_answer_bytes = config.limits().max_answer_bytes();
  options.scheduler = SchedulerOptionsOf(config.scheduler(), std::move(cores));
  return options;
}

EncodePipelineOptions PipelineOptionsOf(const config::ServerConfig& config, const config::ModelConfig& model,
                                        std::shared_ptr<CoreShares::Model> cores, int64_t max_input_bytes) {
  EncodePipelineOptions options;
  options.num_workers = NumWorkersOf(config, model);
  options.prepare_threads = config.engine().tokenize_threads();
  options.max_input_bytes = max_input_bytes;
  options.scheduler = SchedulerOptionsOf(config.scheduler(), std::move(cores));
  return options;
}

ImageLimits ImageLimitsOf(const config::Limits& limits) {
  ImageLimits result;
  result.max_bytes = static_cast<size_t>(limits.max_image_bytes());
  result.max_pixels = limits.max_image_pixels();
  return result;
}

}  // namespace

absl::StatusOr<EngineModel> LoadEngineModel(const config::ServerConfig& config,
                                            const config::ModelConfig& model, CoreShares& cores,
                                            SchedulerObserver& observer) {
  const config::Limits& limits = config.limits();
  ATTENDANT_ASSIGN_OR_RETURN(const std::string model_type, ReadModelType(model.path()));
  ATTENDANT_ASSIGN_OR_RETURN(const ModelKind kind, KindOf(model_type));
  std::shared_ptr<CoreShares::Model> share = cores.Add(model.weight());
  EngineModel loaded;
  switch (kind) {
    case ModelKind::kSeq2Seq: {
      ATTENDANT_ASSIGN_OR_RETURN(
          loaded.translator,
          Translator::Load(model.path(), TranslatorOptionsOf(config, model, share), observer, Clock::Real()));
      if (TextModel* embedder = loaded.translator->embedder(); embedder != nullptr) {
        loaded.text = std::shared_ptr<TextModel>(loaded.translator, embedder);
      }
      break;
    }
    case ModelKind::kTextEncoder: {
      const auto options = PipelineOptionsOf(config, model, share, limits.max_content_bytes());
      ATTENDANT_ASSIGN_OR_RETURN(loaded.text,
                                 TextModel::Load(model.path(), options, observer, Clock::Real()));
      break;
    }
    case ModelKind::kVisionEncoder: {
      const auto options = PipelineOptionsOf(config, model, share, limits.max_image_bytes());
      ATTENDANT_ASSIGN_OR_RETURN(loaded.image, ImageModel::Load(model.path(), options, ImageLimitsOf(limits),
                                                                observer, Clock::Real()));
      break;
    }
  }
  return loaded;
}

}  // namespace attendant
