#include "server/kserve/model_tensors.h"

namespace attendant::kserve {

absl::string_view InputName(const EngineModel& model) {
  return model.image != nullptr ? "image" : "text";
}

std::vector<OutputSpec> OutputsOf(const EngineModel& model) {
  std::vector<OutputSpec> outputs;
  if (model.Serves(Task::kTranslate)) {
    constexpr int64_t kNumHypotheses = -1;
    outputs.push_back({Output::kTranslation, "translation", "BYTES", kNumHypotheses});
    outputs.push_back({Output::kScore, "score", "FP32", kNumHypotheses});
  }
  if (model.Serves(Task::kEmbedText)) {
    outputs.push_back({Output::kEmbedding, "embedding", "FP32", model.text->info().embedding_dim});
  }
  if (model.Serves(Task::kEmbedImage)) {
    outputs.push_back({Output::kEmbedding, "embedding", "FP32", model.image->info().encoder.hidden_dim});
  }
  if (model.Serves(Task::kClassifyText) || model.Serves(Task::kClassifyImage)) {
    const auto num_labels = static_cast<int64_t>(LabelsOf(model).size());
    outputs.push_back({Output::kLogits, "logits", "FP32", num_labels});
    outputs.push_back({Output::kProbabilities, "probabilities", "FP32", num_labels});
  }
  return outputs;
}

absl::Span<const std::string> LabelsOf(const EngineModel& model) {
  if (model.image != nullptr) return model.image->info().encoder.labels;
  if (model.text != nullptr) return model.text->info().encoder.labels;
  return {};
}

}  // namespace attendant::kserve
