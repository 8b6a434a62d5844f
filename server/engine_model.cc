#include "server/engine_model.h"

namespace attendant {

absl::string_view TaskName(Task task) {
  switch (task) {
    case Task::kTranslate:
      return "translate";
    case Task::kEmbedText:
      return "embed_text";
    case Task::kClassifyText:
      return "classify_text";
    case Task::kLabelTokens:
      return "label_tokens";
    case Task::kEmbedImage:
      return "embed_image";
    case Task::kClassifyImage:
      return "classify_image";
  }
  return "";
}

bool EngineModel::Serves(Task task) const {
  switch (task) {
    case Task::kTranslate:
      return translator != nullptr;
    case Task::kEmbedText:
      return text != nullptr && text->info().is_for_embedding;
    case Task::kClassifyText:
      return text != nullptr && text->info().encoder.head == TextHead::kSequence;
    case Task::kLabelTokens:
      return text != nullptr && text->info().encoder.head == TextHead::kTokens;
    case Task::kEmbedImage:
      return image != nullptr;
    case Task::kClassifyImage:
      return image != nullptr && !image->info().encoder.labels.empty();
  }
  return false;
}

absl::string_view EngineModel::WhyNot(Task task) const {
  if (task != Task::kEmbedText || translator == nullptr) return "";
  return translator->info().why_not_embedding;
}

const Scheduler& EngineModel::scheduler() const {
  if (translator != nullptr) return translator->scheduler();
  return text != nullptr ? text->scheduler() : image->scheduler();
}

EngineModelSummary Summarize(const EngineModel& model) {
  if (model.translator != nullptr) {
    const Translator::Info& info = model.translator->info();
    return {info.architecture,   info.num_parameters, info.weights_bytes,
            info.kv_cache_bytes, info.num_workers,    info.load_time};
  }
  constexpr int64_t kNoCache = 0;
  if (model.text != nullptr) {
    const TextModel::Info& info = model.text->info();
    return {info.encoder.architecture,  info.encoder.num_parameters,
            info.encoder.weights_bytes, kNoCache,
            info.num_workers,           info.load_time};
  }
  const ImageModel::Info& info = model.image->info();
  return {info.encoder.architecture,  info.encoder.num_parameters,
          info.encoder.weights_bytes, kNoCache,
          info.num_workers,           info.load_time};
}

}  // namespace attendant
