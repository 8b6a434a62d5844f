#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "engine/models/text_encoder.h"
#include "engine/tasks/encode_pipeline.h"

namespace attendant {

enum class Truncation {
  kTruncate,  // The answer says so.
  kRefuse,    // INVALID_ARGUMENT.
};

struct TextRequest {
  std::string text;  // UTF-8; other bytes are read as U+FFFD.
  Truncation truncation = Truncation::kTruncate;
  int priority = 0;
  TimePoint deadline = kInfiniteFuture;
};

struct EmbedTextRequest : TextRequest {
  std::string prompt;             // Name of one of the model's prompts; "": its default one, if it has one.
  std::optional<bool> normalize;  // To length 1; not set: as the model says.
  int32_t dimensions = 0;         // Only the first so many (Matryoshka), normalised after that; 0: all.
};

// What every answer tells of its text.
struct TextAnswer {
  int32_t tokens = 0;  // Encoded, special ones included.
  bool truncated = false;
  EncodeTiming timing;
};

struct TextEmbedding : TextAnswer {
  std::vector<float> values;
};

struct TextClasses : TextAnswer {
  std::vector<float> logits;         // One for each label.
  std::vector<float> probabilities;  // Softmax of them; sigmoid of each where the model is multi-label.
};

// A part of the text with a label. begin and end in bytes of the text.
struct LabelledSpan {
  uint32_t begin = 0;
  uint32_t end = 0;
  int32_t label = 0;  // Index of a label; of a merged span, that of its first word.
  float probability = 0;
};

struct TextLabels : TextAnswer {
  std::vector<LabelledSpan> words;  // As the tokeniser cuts them; each has its first token's label.
  // Neighbouring words of one entity as one: "B-X" begins, "I-X" goes on, "O" is none; probability is the
  // mean of the words'. Empty where the labels have no such prefixes.
  std::vector<LabelledSpan> entities;
};

// A loaded text encoder behind its scheduler: embeddings, and what its head is for. Thread-safe.
class TextModel {
 public:
  struct Info {
    TextEncoder::Info encoder;
    bool is_for_embedding = false;  // It has no head, or sentence-transformers' modules beside it.
    int32_t embedding_dim = 0;
    int32_t max_tokens = 0;  // Of a text, special ones included; more are cut off.
    bool normalizes = false;
    std::vector<std::string> prompts;  // Names.
    int32_t num_workers = 0;
    Duration load_time{};
  };
  template <typename Answer>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

  // Loads a Hugging Face or sentence-transformers directory. Errors: NOT_FOUND a file is missing; DATA_LOSS
  // corrupt; FAILED_PRECONDITION not a model that this engine runs. observer and clock outlive it.
  static absl::StatusOr<std::unique_ptr<TextModel>> Load(const std::filesystem::path& dir,
                                                         const EncodePipelineOptions& options,
                                                         SchedulerObserver& observer, const Clock& clock);
  virtual ~TextModel() = default;
  virtual const Info& info() const = 0;

  // Return at once. `done` is called exactly once: on another thread, or from within the call when it is
  // refused at the door. Errors: INVALID_ARGUMENT the request is wrong; FAILED_PRECONDITION the model has no
  // such head; and EncodePipeline's.
  virtual CancelHandle Embed(EmbedTextRequest request, Done<TextEmbedding> done) = 0;
  virtual CancelHandle Classify(TextRequest request, Done<TextClasses> done) = 0;
  virtual CancelHandle Label(TextRequest request, Done<TextLabels> done) = 0;

  virtual bool Drain(Duration timeout) = 0;
  virtual const Scheduler& scheduler() const = 0;
};

}  // namespace attendant
