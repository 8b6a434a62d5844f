#pragma once

#include <memory>

#include "absl/strings/string_view.h"
#include "engine/tasks/image_model.h"
#include "engine/tasks/text_model.h"
#include "engine/tasks/translator.h"

namespace attendant {

// What a model can be asked for.
enum class Task { kTranslate, kEmbedText, kClassifyText, kLabelTokens, kEmbedImage, kClassifyImage };
inline constexpr Task kAllTasks[] = {Task::kTranslate,   Task::kEmbedText,  Task::kClassifyText,
                                     Task::kLabelTokens, Task::kEmbedImage, Task::kClassifyImage};
// "translate", "embed_text", ...
absl::string_view TaskName(Task task);

// A loaded model of whichever kind. Exactly one pointer is set, but for a translation model that embeds:
// `text` is then part of its translator, which it keeps alive.
struct EngineModel {
  std::shared_ptr<Translator> translator;
  std::shared_ptr<TextModel> text;
  std::shared_ptr<ImageModel> image;

  bool Serves(Task task) const;
  // What its owner could do about a task that it does not serve; "": nothing.
  absl::string_view WhyNot(Task task) const;
  const Scheduler& scheduler() const;
};

// What every kind tells of itself.
struct EngineModelSummary {
  absl::string_view architecture;
  int64_t num_parameters = 0;
  int64_t weights_bytes = 0;
  int64_t kv_cache_bytes = 0;
  int32_t num_workers = 0;
  Duration load_time{};
};
EngineModelSummary Summarize(const EngineModel& model);

}  // namespace attendant
