#include "client/translate_pipeline.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace attendant::client {
namespace {

// How far results may run ahead of a slow one, in calls.
constexpr size_t kHeldPerRunningCall = 8;
// Texts of one call: well below a server's limit of message size.
constexpr size_t kMaxBatchBytes = 64 << 10;

// Failures that the other texts of the call may have nothing to do with.
bool MayBeOneText(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsInternal(status);
}

void TakeAnswer(v1::TranslateResponse response, std::vector<TextResult>& batch) {
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i].model = response.model();
    batch[i].translation = std::move(*response.mutable_translations(static_cast<int>(i)));
  }
}

absl::Status CheckAnswer(const absl::Status& status, const v1::TranslateResponse& response, size_t texts) {
  if (!status.ok() || static_cast<size_t>(response.translations_size()) == texts) return status;
  return absl::InternalError(
      absl::StrCat("the server answered ", texts, " texts with ", response.translations_size()));
}

}  // namespace

TranslatePipeline::TranslatePipeline(TranslateCalls& calls, PipelineOptions options)
    : calls_(calls),
      options_(std::move(options)),
      window_({.max_running = options_.max_calls, .max_held = options_.max_calls * kHeldPerRunningCall}) {}

absl::Status TranslatePipeline::Run(TextSource& source, const Deliver& deliver) {
  absl::Status delivered;
  std::thread writer([&] {
    delivered = DeliverAll(deliver);
    if (!delivered.ok()) Stop();
  });
  absl::Status read = ReadAll(source);
  // What was read before an error of the source is still translated.
  window_.Finish();
  writer.join();
  if (!delivered.ok()) return delivered;
  if (read.ok() && num_delivered_ < num_started_) return absl::CancelledError("stopped");
  return read;
}

void TranslatePipeline::Stop() {
  window_.Abort();
  calls_.CancelAll();
}

absl::Status TranslatePipeline::ReadAll(TextSource& source) {
  while (true) {
    absl::StatusOr<Batch> batch = ReadBatch(source);
    if (!batch.ok()) return batch.status();
    if (batch->empty()) return absl::OkStatus();
    const std::optional<Window::Ticket> ticket = window_.Reserve();
    if (!ticket.has_value()) return absl::CancelledError("stopped");
    ++num_started_;
    Start(*ticket, *std::move(batch));
  }
}

absl::StatusOr<TranslatePipeline::Batch> TranslatePipeline::ReadBatch(TextSource& source) {
  Batch batch;
  size_t bytes = 0;
  while (batch.empty() || (batch.size() < options_.max_batch && bytes < kMaxBatchBytes && source.HasNext())) {
    absl::StatusOr<std::optional<SourceText>> text = source.Next();
    if (!text.ok()) {
      // What came before it goes first; the source fails again at the next call.
      if (!batch.empty()) break;
      return text.status();
    }
    if (!text->has_value()) break;
    bytes += (*text)->text.size();
    batch.push_back({.source = **std::move(text), .status = {}, .translation = {}, .model = {}});
  }
  return batch;
}

absl::Status TranslatePipeline::DeliverAll(const Deliver& deliver) {
  while (std::optional<Batch> batch = window_.Pop()) {
    for (const TextResult& result : *batch) {
      if (absl::Status status = deliver(result); !status.ok()) return status;
    }
    ++num_delivered_;
  }
  return absl::OkStatus();
}

v1::TranslateRequest TranslatePipeline::MakeRequest(const Batch& batch) const {
  v1::TranslateRequest request = options_.prototype;
  for (const TextResult& result : batch) request.add_contents(result.source.text);
  return request;
}

void TranslatePipeline::Start(Window::Ticket ticket, Batch batch) {
  v1::TranslateRequest request = MakeRequest(batch);
  calls_.Start(std::move(request), [this, ticket, batch = std::move(batch)](
                                       absl::Status status, v1::TranslateResponse response) mutable {
    Finish(ticket, std::move(batch), status, std::move(response));
  });
}

void TranslatePipeline::Finish(Window::Ticket ticket, Batch batch, const absl::Status& status,
                               v1::TranslateResponse response) {
  const absl::Status checked = CheckAnswer(status, response, batch.size());
  if (MayBeOneText(checked) && batch.size() > 1) {
    StartOneByOne(ticket, std::move(batch));
    return;
  }
  if (checked.ok()) TakeAnswer(std::move(response), batch);
  for (TextResult& result : batch) result.status = checked;
  window_.Complete(ticket, std::move(batch));
}

void TranslatePipeline::StartOneByOne(Window::Ticket ticket, Batch batch) {
  struct Shared {
    Batch batch;
    std::atomic<size_t> left;
  };
  auto shared = std::make_shared<Shared>();
  const size_t count = batch.size();
  shared->left = count;
  shared->batch = std::move(batch);
  for (size_t i = 0; i < count; ++i) {
    v1::TranslateRequest request = options_.prototype;
    request.add_contents(shared->batch[i].source.text);
    calls_.Start(std::move(request),
                 [this, ticket, shared, i](absl::Status status, v1::TranslateResponse response) {
                   TextResult& result = shared->batch[i];
                   result.status = CheckAnswer(status, response, 1);
                   if (result.status.ok()) {
                     result.model = response.model();
                     result.translation = std::move(*response.mutable_translations(0));
                   }
                   if (--shared->left == 0) window_.Complete(ticket, std::move(shared->batch));
                 });
  }
}

}  // namespace attendant::client
