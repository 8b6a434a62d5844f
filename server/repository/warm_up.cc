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

// What says nothing of the model: that the server's own limits are too tight for these requests.
bool IsOfTheRequest(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsInvalidArgument(status);
}

// Counts answers that are due, and keeps the first error. Shared with callbacks that may come late.
class Answers {
 public:
  void Expect() {
    const std::lock_guard lock(mutex_);
    ++pending_;
  }
  void Got(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    if (!IsOfTheRequest(status)) first_error_.Update(status);
    if (--pending_ == 0) done_.notify_all();
  }
  absl::Status Wait(TimePoint deadline) {
    std::unique_lock lock(mutex_);
    if (!done_.wait_until(lock, deadline, [this] { return pending_ == 0; })) {
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

// Asks an engine one thing after the other, and waits for each answer or for all together.
class Asker {
 public:
  enum class Wait { kForEach, kAtTheEnd };
  Asker(const EngineModel& engine, Wait wait, TimePoint deadline)
      : engine_(engine), wait_(wait), deadline_(deadline) {}

  // One round of everything the engine serves.
  absl::Status AskAll() {
    for (const char* text : kTexts) ATTENDANT_RETURN_IF_ERROR(AskText(text));
    return AskImage();
  }
  absl::Status WaitForAll() const { return answers_->Wait(deadline_); }

 private:
  template <typename Answer>
  auto Tell() {
    answers_->Expect();
    return [answers = answers_](absl::StatusOr<Answer> answer) { answers->Got(answer.status()); };
  }
  absl::Status Next() const { return wait_ == Wait::kForEach ? WaitForAll() : absl::OkStatus(); }

  absl::Status Translate(const char* text, int32_t beam_size) {
    constexpr int32_t kMaxLength = 32;
    TranslationRequest request;
    request.text = text;
    request.options.beam_size = beam_size;
    request.options.max_length = std::min(kMaxLength, engine_.translator->info().max_target_tokens);
    request.deadline = deadline_;
    engine_.translator->Translate(std::move(request), {}, Tell<TranslationResult>());
    return Next();
  }

  absl::Status AskText(const char* text) {
    if (engine_.Serves(Task::kTranslate)) {
      for (const int32_t beam_size : {1, 4}) ATTENDANT_RETURN_IF_ERROR(Translate(text, beam_size));
    }
    EmbedTextRequest request;
    request.text = text;
    request.deadline = deadline_;
    if (engine_.Serves(Task::kEmbedText)) engine_.text->Embed(request, Tell<TextEmbedding>());
    ATTENDANT_RETURN_IF_ERROR(Next());
    if (engine_.Serves(Task::kClassifyText)) engine_.text->Classify(request, Tell<TextClasses>());
    ATTENDANT_RETURN_IF_ERROR(Next());
    if (engine_.Serves(Task::kLabelTokens)) engine_.text->Label(request, Tell<TextLabels>());
    return Next();
  }

  absl::Status AskImage() {
    ClassifyImageRequest request;
    request.file_bytes.assign(reinterpret_cast<const char*>(kGreyPixel), sizeof(kGreyPixel));
    request.deadline = deadline_;
    if (engine_.Serves(Task::kEmbedImage)) engine_.image->Embed(request, Tell<ImageEmbedding>());
    ATTENDANT_RETURN_IF_ERROR(Next());
    if (engine_.Serves(Task::kClassifyImage)) engine_.image->Classify(request, Tell<ImageClasses>());
    return Next();
  }

  const EngineModel& engine_;
  const Wait wait_;
  const TimePoint deadline_;
  const std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
};

}  // namespace

absl::Status WarmUp(const EngineModel& engine, Duration timeout) {
  const TimePoint deadline = Clock::Real().Now() + timeout;
  // One after the other first, as a lone request runs on other paths than a crowd; then enough for all
  // workers.
  constexpr int kLoneRounds = 2;
  Asker lone(engine, Asker::Wait::kForEach, deadline);
  for (int round = 0; round < kLoneRounds; ++round) ATTENDANT_RETURN_IF_ERROR(lone.AskAll());
  Asker crowd(engine, Asker::Wait::kAtTheEnd, deadline);
  const int32_t copies = 2 * engine.scheduler().num_workers();
  for (int32_t i = 0; i < copies; ++i) ATTENDANT_RETURN_IF_ERROR(crowd.AskAll());
  return crowd.WaitForAll();
}

}  // namespace attendant
