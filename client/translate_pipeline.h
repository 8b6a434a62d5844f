#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "attendant/v1/translation_service.pb.h"
#include "client/ordered_window.h"
#include "client/text_source.h"
#include "client/translate_calls.h"

namespace attendant::client {

// What became of one text.
struct TextResult {
  SourceText source;
  absl::Status status;  // Not OK: the rest is empty.
  v1::Translation translation;
  std::string model;
};

struct PipelineOptions {
  size_t max_calls = 64;                // Outstanding at a time.
  size_t max_batch = 8;                 // Texts in one call, where so many are there without waiting.
  v1::TranslateRequest prototype = {};  // All but the contents.
};

// Translates the texts of a source, many calls at a time, and delivers the results in order.
// Invariants:
// 1. Each text is delivered once, in the order of the source, until deliver() fails or Stop().
// 2. A call of several texts that fails is made again text by text, so that one bad text fails alone.
// 3. Memory is bounded by max_calls and max_batch, however long the source is.
// Run() once; Stop() from any thread.
class TranslatePipeline {
 public:
  using Deliver = std::function<absl::Status(const TextResult&)>;

  TranslatePipeline(TranslateCalls& calls, PipelineOptions options);

  // Returns when all is delivered. Otherwise the first error of the source or of deliver(), which is called
  // on another thread; CANCELLED after Stop().
  absl::Status Run(TextSource& source, const Deliver& deliver);

  // What is finished and next in order is still delivered; the rest is cancelled.
  void Stop();

 private:
  using Batch = std::vector<TextResult>;
  using Window = OrderedWindow<Batch>;

  absl::Status ReadAll(TextSource& source);
  // The next texts of the source; empty at its end.
  absl::StatusOr<Batch> ReadBatch(TextSource& source);
  absl::Status DeliverAll(const Deliver& deliver);
  void Start(Window::Ticket ticket, Batch batch);
  void Finish(Window::Ticket ticket, Batch batch, const absl::Status& status, v1::TranslateResponse response);
  // Each text of a failed batch in a call of its own.
  void StartOneByOne(Window::Ticket ticket, Batch batch);
  v1::TranslateRequest MakeRequest(const Batch& batch) const;

  TranslateCalls& calls_;
  const PipelineOptions options_;
  Window window_;
  size_t num_started_ = 0;    // Batches; of the thread of Run().
  size_t num_delivered_ = 0;  // Of the delivering thread until it has ended.
};

}  // namespace attendant::client
