#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "engine/base/clock.h"
#include "engine/decoding/options.h"
#include "engine/decoding/search.h"
#include "engine/scheduler/scheduler.h"
#include "engine/tasks/cancel_handle.h"

namespace attendant {

// How one text is translated. Fields that are not set take the model's generation_config.json value.
struct TranslationOptions {
  std::optional<int32_t> beam_size;
  std::optional<int32_t> num_hypotheses;  // n-best of each sentence; a text of one sentence has them whole.
  std::optional<float> patience;
  std::optional<float> length_penalty;
  std::optional<float> coverage_penalty;
  std::optional<float> repetition_penalty;
  std::optional<int32_t> no_repeat_ngram_size;
  std::optional<int32_t> min_length;  // Tokens of each sentence's translation, end token not counted.
  std::optional<int32_t> max_length;  // Tokens, end token counted.
  std::optional<bool> sample;
  std::optional<float> temperature;
  std::optional<int32_t> top_k;
  std::optional<float> top_p;
  std::optional<uint64_t> seed;
  std::optional<int32_t> repetition_guard_tokens;
  std::string target_prefix;  // Text that the translation of the first sentence begins with.
  std::vector<std::string> suppress_sequences;  // Texts that are never produced.
  std::string end_token;                        // A target piece that ends the translation; "": the model's.
  bool disable_unk = false;
  bool replace_unknowns = false;  // An unknown target token becomes the source token it attends to most.
  bool return_alignment = false;
  bool return_token_scores = false;
  enum class Split {
    kSentences,
    kNone
  };  // kNone: line breaks still split; overlong input is still split, and reported.
  Split split = Split::kSentences;
};

struct TranslationRequest {
  std::string text;  // UTF-8. Empty or white space is its own translation.
  TranslationOptions options;
  int priority = 0;
  TimePoint deadline = kInfiniteFuture;
};

struct PhaseTiming {
  Duration tokenize{};
  Duration queue{};        // Longest wait of a sentence before it began.
  Duration encode{};       // From then to the end of its encoding step: largest of the sentences.
  Duration first_token{};  // From submission to the first token.
  Duration total{};
};

// One hypothesis of one sentence.
struct SentenceHypothesis {
  std::string text;
  float score = 0;  // As DecodingOptions' length_penalty normalises it.
  FinishReason finish_reason = FinishReason::kEndToken;
  std::vector<int32_t> token_ids;
  std::vector<std::string>
      tokens;  // Pieces, parallel to token_ids; empty unless scores or alignment were asked for.
  std::vector<float> token_scores;  // log p, parallel to tokens plus the end token's if there was one; empty
                                    // unless asked for.
  std::vector<std::vector<float>> alignment;  // [target token][source token]; empty unless asked for.
};

struct SentenceTranslation {
  std::string source;                      // The sentence as it was fed.
  std::string leading;                     // White space before it in the text (first sentence only) ...
  std::string trailing;                    // ... and after it.
  std::vector<std::string> source_tokens;  // Pieces with the end token; empty unless alignment was asked for.
  int32_t source_length_tokens = 0;
  std::vector<SentenceHypothesis> hypotheses;  // Best first.
  bool was_halved = false;                     // A piece of a sentence beyond the model's positions.
};

struct TranslationResult {
  std::string text;  // The best translation, with the line breaks and spacing of the source.
  std::vector<SentenceTranslation> sentences;
  int32_t input_tokens = 0;
  int32_t output_tokens = 0;
  int32_t halved_sentences = 0;        // Sentences beyond the model's positions that were split further.
  int32_t replacement_characters = 0;  // Invalid UTF-8 sequences that were read as U+FFFD.
  int64_t answer_bytes = 0;            // Memory of all sentences, near enough.
  PhaseTiming timing;
};

// What a stream hears while its text is being translated. Calls come one at a time per request, from the
// translator's text threads, before `done`; sentences in any order, each once, and no growing text of a
// sentence after it. Keep them short: other requests' texts wait.
struct TranslationEvents {
  // Sentence `index` is whole.
  std::function<void(int32_t index, const SentenceTranslation&)> on_sentence;
  // Sentence `index`'s greedy (or sampled) translation has grown to `text` so far; not called for beams.
  std::function<void(int32_t index, const std::string& text)> on_growing_text;
};

struct TranslatorOptions {
  int32_t num_workers = 0;     // 0: the CPU budget of the container or machine.
  int64_t kv_cache_bytes = 0;  // Over all workers. 0: 512 MiB.
  SchedulerOptions scheduler;
  int32_t max_text_bytes = 1 << 20;              // Of one text; a longer one is INVALID_ARGUMENT.
  int32_t max_sentences = 10'000;                // Of one text.
  int64_t max_answer_bytes = int64_t{64} << 20;  // Of one text with all that was asked for; a larger one is
                                                 // INVALID_ARGUMENT, as soon as that shows.
  int32_t tokenize_threads = 1;
};

class TextModel;

// A loaded translation model behind its scheduler: text in, text out. Thread-safe.
class Translator {
 public:
  struct Info {
    std::string source_language;  // BCP 47, from tokenizer_config.json; "" if the model does not say.
    std::string target_language;
    std::string architecture;  // "marian"
    int64_t num_parameters = 0;
    int64_t weights_bytes = 0;
    int32_t max_source_tokens = 0;
    int32_t max_target_tokens = 0;
    int32_t vocab_size = 0;
    int32_t num_workers = 0;
    int64_t kv_cache_bytes = 0;
    Duration load_time{};
    DecodingOptions default_decoding;  // Of a request that sets nothing.
    std::vector<std::string> ignored_generation_keys;
    std::string why_not_embedding;  // What to write where, if embedder() is null.
  };
  using Done = absl::AnyInvocable<void(absl::StatusOr<TranslationResult>)>;

  // Loads a Hugging Face directory. Errors: NOT_FOUND a file is missing; DATA_LOSS corrupt;
  // FAILED_PRECONDITION not a model that this engine runs; INVALID_ARGUMENT options. observer and clock must
  // outlive the translator.
  static absl::StatusOr<std::unique_ptr<Translator>> Load(const std::filesystem::path& dir,
                                                          const TranslatorOptions& options,
                                                          SchedulerObserver& observer, const Clock& clock);
  // Answers what is open with UNAVAILABLE; Drain first to let it finish. Not from a callback.
  virtual ~Translator() = default;
  virtual const Info& info() const = 0;

  // Returns at once. `done` is called exactly once: on another thread, or from within this call when the
  // request is refused at the door.
  // INVALID_ARGUMENT the request is wrong (names the field); RESOURCE_EXHAUSTED full; DEADLINE_EXCEEDED;
  // CANCELLED; UNAVAILABLE draining; INTERNAL.
  virtual CancelHandle Translate(TranslationRequest request, TranslationEvents events, Done done) = 0;

  // Its encoder as a model for embeddings, where its card or modules.json says that it is one; null where
  // not. Its texts wait in the same queue as the sentences to translate, and the same workers run them, with
  // the same weights. The translator's own.
  virtual TextModel* embedder() = 0;

  // Of both: refuses new texts and waits until all accepted are answered; false if `timeout` came first.
  virtual bool Drain(Duration timeout) = 0;
  virtual const Scheduler& scheduler() const = 0;
};

}  // namespace attendant
