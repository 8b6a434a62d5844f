#include "server/repository/warm_up.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

// A PNG of one grey pixel, which the preprocessing brings to the model's size.
constexpr unsigned char kGreyPixel[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81,
    0xda, 0x45, 0x08, 0x3b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

// Of three lengths; what they say does not matter, only how long they are.
constexpr const char* kTexts[] = {
    "Good morning!",
    "The train to the old town leaves at seven, so we should have breakfast early.",
    "She wrote that the house by the river had been sold last winter, that nobody knew who lived there now, "
    "and "
    "that the garden, which her grandfather had planted when he came back, was still full of apple trees and "
    "birds in the first week of May",
};

// Counts answers that are due, and keeps the first error. Shared with callbacks that may come late.
class Answers {
 public:
  void Expect() {
    const std::lock_guard lock(mutex_);
    ++pending_;
  }
  void Got(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    first_error_.Update(status);
    if (--pending_ == 0) done_.notify_all();
  }
  absl::Status Wait(Duration timeout) {
    std::unique_lock lock(mutex_);
    if (!done_.wait_for(lock, timeout, [this] { return pending_ == 0; })) {
      return absl::DeadlineExceededError("no answer in time");
    }
    return first_error_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  int pending_ = 0;
  absl::Status first_error_;
};

template <typename Answer>
auto Tell(const std::shared_ptr<Answers>& answers) {
  answers->Expect();
  return [answers](absl::StatusOr<Answer> answer) { answers->Got(answer.status()); };
}

void Translate(Translator& translator, int32_t beam_size, TimePoint deadline,
               const std::shared_ptr<Answers>& answers) {
  constexpr int32_t kMaxLength = 32;
  for (const char* text : kTexts) {
    TranslationRequest request;
    request.text = text;
    request.options.beam_size = beam_size;
    request.options.max_length = std::min(kMaxLength, translator.info().max_target_tokens);
    request.deadline = deadline;
    translator.Translate(std::move(request), {}, Tell<TranslationResult>(answers));
  }
}

// One round of everything the engine serves.
void Ask(const EngineModel& engine, TimePoint deadline, const std::shared_ptr<Answers>& answers) {
  if (engine.Serves(Task::kTranslate)) {
    for (const int32_t beam_size : {1, 4}) Translate(*engine.translator, beam_size, deadline, answers);
  }
  for (const char* text : kTexts) {
    EmbedTextRequest request;
    request.text = text;
    request.deadline = deadline;
    if (engine.Serves(Task::kEmbedText)) engine.text->Embed(request, Tell<TextEmbedding>(answers));
    if (engine.Serves(Task::kClassifyText)) engine.text->Classify(request, Tell<TextClasses>(answers));
    if (engine.Serves(Task::kLabelTokens)) engine.text->Label(request, Tell<TextLabels>(answers));
  }
  ClassifyImageRequest image;
  image.file_bytes.assign(reinterpret_cast<const char*>(kGreyPixel), sizeof(kGreyPixel));
  image.deadline = deadline;
  if (engine.Serves(Task::kEmbedImage)) engine.image->Embed(image, Tell<ImageEmbedding>(answers));
  if (engine.Serves(Task::kClassifyImage)) engine.image->Classify(image, Tell<ImageClasses>(answers));
}

}  // namespace

absl::Status WarmUp(const EngineModel& engine, Duration timeout) {
  const TimePoint deadline = Clock::Real().Now() + timeout;
  // One after the other first, as a lone request runs on other paths than a crowd; then enough for all
  // workers.
  constexpr int kLoneRounds = 2;
  for (int round = 0; round < kLoneRounds; ++round) {
    const auto answers = std::make_shared<Answers>();
    Ask(engine, deadline, answers);
    ATTENDANT_RETURN_IF_ERROR(answers->Wait(deadline - Clock::Real().Now()));
  }
  const auto crowd = std::make_shared<Answers>();
  const int32_t copies = 2 * engine.scheduler().num_workers();
  for (int32_t i = 0; i < copies; ++i) Ask(engine, deadline, crowd);
  return crowd->Wait(deadline - Clock::Real().Now());
}

}  // namespace attendant
