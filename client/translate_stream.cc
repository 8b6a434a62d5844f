#include "client/translate_stream.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <optional>
#include <string>

#include "attendant/v1/translation_service.grpc.pb.h"
#include "client/growing_text.h"
#include "client/grpc_status.h"
#include "client/terminal.h"

namespace attendant::client {
namespace {

// Writes one text as its events come.
class StreamPrinter {
 public:
  explicit StreamPrinter(OutputFile& output)
      : output_(output), is_terminal_(IsTerminal(output.fd())), line_(TerminalColumns(output.fd())) {}

  absl::Status Handle(const v1::TranslateStreamResponse& event) {
    if (event.has_growing_text()) text_.Handle(event.growing_text());
    if (event.has_sentence()) text_.Handle(event.sentence());
    return output_.Write(line_.Show(is_terminal_ ? text_.current() : text_.settled()));
  }

  // The line break that ends the text.
  absl::Status Finish() {
    const std::string& text = text_.settled();
    return text.empty() || text.back() != '\n' ? output_.Write("\n") : absl::OkStatus();
  }

 private:
  OutputFile& output_;
  const bool is_terminal_;
  GrowingText text_;
  LiveLine line_;
};

struct StreamOutcome {
  absl::Status call;
  absl::Status output;
};

StreamOutcome StreamOne(v1::TranslationService::Stub& stub, const v1::TranslateRequest& request,
                        absl::Duration deadline, OutputFile& output, StopSignal& stop) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(deadline));
  stop.OnStop([&context] { context.TryCancel(); });
  StreamOutcome outcome;
  StreamPrinter printer(output);
  auto reader = stub.TranslateStream(&context, request);
  v1::TranslateStreamResponse event;
  while (outcome.output.ok() && reader->Read(&event)) outcome.output = printer.Handle(event);
  if (!outcome.output.ok()) context.TryCancel();
  outcome.call = FromGrpc(reader->Finish());
  stop.OnStop({});
  if (outcome.output.ok()) outcome.output = printer.Finish();
  return outcome;
}

}  // namespace

absl::Status StreamTexts(const std::shared_ptr<grpc::Channel>& channel, const TranslateOptions& options,
                         TextSource& source, OutputFile& output, StopSignal& stop,
                         const std::function<absl::Status(const SourceText&, const absl::Status&)>& report) {
  const auto stub = v1::TranslationService::NewStub(channel);
  while (true) {
    const absl::StatusOr<std::optional<SourceText>> text = source.Next();
    if (!text.ok()) return text.status();
    if (!text->has_value()) return absl::OkStatus();
    v1::TranslateRequest request = options.request;
    request.add_contents((*text)->text);
    const StreamOutcome outcome = StreamOne(*stub, request, options.deadline, output, stop);
    if (!outcome.output.ok()) return outcome.output;
    if (stop.stopped()) return absl::CancelledError("stopped");
    if (absl::Status status = report(**text, outcome.call); !status.ok()) return status;
  }
}

}  // namespace attendant::client
