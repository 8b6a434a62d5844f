#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/encode_methods.h"
#include "client/encode_options.h"
#include "client/exit_code.h"
#include "client/grpc_status.h"
#include "client/output_file.h"
#include "client/stop_signal.h"
#include "client/translate_report.h"

namespace attendant::client {

// What one run of `attendant classify`, `embed` or `label` has around its calls: the stop signal, where the
// results go, the messages and the exit code. The options must outlive it. Not thread-safe.
class EncodeRun {
 public:
  // `unit`: what messages call a text, as "line".
  EncodeRun(EncodeOptions& options, std::string unit, std::string units);
  ~EncodeRun();
  EncodeRun(const EncodeRun&) = delete;
  EncodeRun& operator=(const EncodeRun&) = delete;

  // Before all else. Errors: as OutputFile::Open.
  absl::Status OpenOutput();
  // The arguments, or the lines of `input`, or of standard input ("" or "-"). Errors: cannot be read.
  absl::StatusOr<std::unique_ptr<TextSource>> OpenTexts(const std::string& input);
  std::unique_ptr<ImageSource> OpenImages(std::vector<std::string> paths);

  // Sends all inputs of the source and hands each result on, in order, failed ones as well. `deliver` runs on
  // another thread.
  template <typename Method>
  absl::Status Send(typename Method::Request prototype, typename Method::Source& source,
                    const typename CallPipeline<Method>::Deliver& deliver);

  // Writes to the output.
  absl::Status Write(const std::string& text);
  OutputFile& output() { return *output_; }

  // Ends the output, and says how the run went.
  ExitCode Conclude(const absl::Status& status);

 private:
  void StartReport();
  void NoteText(const TextSource& source) { replaced_bytes_ = source.replaced_bytes(); }
  void NoteText(const ImageSource&) {}
  static std::string NameOf(const ImageFile& file) { return file.name == "-" ? "standard input" : file.name; }
  // Not OK: the run is over.
  absl::Status Note(const SourceText& text, const absl::Status& status, int64_t tokens);
  absl::Status Note(const ImageFile& file, const absl::Status& status, int64_t tokens);

  EncodeOptions& options_;
  ReportOptions report_options_;
  StopSignal stop_;
  int input_fd_ = -1;  // -1: none.
  std::optional<OutputFile> output_;
  uint64_t num_images_ = 0;
  std::optional<TranslateReport> report_;
  bool output_failed_ = false;  // Set before the delivering thread ends.
  uint64_t num_truncated_ = 0;
  uint64_t replaced_bytes_ = 0;
};

template <typename Method>
absl::Status EncodeRun::Send(typename Method::Request prototype, typename Method::Source& source,
                             const typename CallPipeline<Method>::Deliver& deliver) {
  using Result = typename Method::Result;
  StartReport();
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = Connect(options_.connection);
  if (!channel.ok()) return channel.status();
  UnaryCalls<Method> calls(*channel, {.deadline = options_.deadline,
                                      .max_retries = options_.retries,
                                      .unavailable_wait = options_.connection.wait});
  CallPipeline<Method> pipeline(calls, {.max_calls = static_cast<size_t>(options_.concurrency),
                                        .max_batch = static_cast<size_t>(options_.batch),
                                        .max_held_per_call = 4,
                                        .prototype = std::move(prototype)});
  stop_.OnStop([&pipeline] { pipeline.Stop(); });
  const absl::Status status = pipeline.Run(source, [&](const Result& result) {
    int64_t tokens = 0;
    if constexpr (requires { result.answer.tokens(); }) {
      tokens = result.answer.tokens();
      num_truncated_ += result.answer.truncated() ? 1 : 0;
    }
    absl::Status delivered = Note(result.source, result.status, tokens);
    if (delivered.ok()) delivered = deliver(result);
    if (!delivered.ok()) stop_.Stop();  // Wakes a reader that waits for more input.
    return delivered;
  });
  stop_.OnStop({});
  NoteText(source);
  return status;
}

}  // namespace attendant::client
