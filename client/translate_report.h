#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/exit_code.h"
#include "client/progress.h"
#include "client/text_source.h"

namespace attendant::client {

struct ReportOptions {
  std::string server;           // For messages.
  std::string unit = "line";    // What a text is called: "line 7: ...".
  std::string units = "texts";  // What several are called: "2 of 7 texts failed".
  int progress_fd = -1;         // Where the progress bar goes; -1: none.
  // How much there is to do, as the bar shows it: bytes of text, or inputs. Neither: not known.
  uint64_t input_bytes = 0;
  uint64_t num_inputs = 0;
  bool counts_tokens = true;  // False: of images.
};

// Counts what became of the texts, shows progress and errors on standard error, and knows the exit code.
// Not thread-safe.
class TranslateReport {
 public:
  explicit TranslateReport(ReportOptions options);

  // A text is done. Not OK when no other text can fare better: the server is gone, the model is not there.
  absl::Status Add(const SourceText& text, const absl::Status& status, int64_t output_tokens);
  // The same for an input of any kind that messages call `name`.
  absl::Status Add(std::string_view name, uint64_t input_bytes, const absl::Status& status, int64_t tokens);
  // A message on a line of its own; the progress bar steps aside.
  void Print(std::string_view message);
  // The summary.
  void Finish();

  // Of the texts so far.
  ExitCode exit_code() const;
  uint64_t num_texts() const { return state_.inputs; }

 private:
  ReportOptions options_;
  ProgressBar progress_;
  ProgressState state_;
  uint64_t num_failed_ = 0;
  uint64_t num_deadlines_ = 0;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace attendant::client
