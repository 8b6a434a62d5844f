#include "client/encode_run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "client/commands.h"
#include "client/terminal.h"

namespace attendant::client {
EncodeRun::EncodeRun(EncodeOptions& options, std::string unit, std::string units) : options_(options) {
  options_.connection.stop_fd = stop_.fd();
  report_options_.server = options_.connection.server;
  report_options_.unit = std::move(unit);
  report_options_.units = std::move(units);
}

EncodeRun::~EncodeRun() {
  if (input_fd_ > STDERR_FILENO) close(input_fd_);
}

absl::Status EncodeRun::OpenOutput() {
  absl::StatusOr<OutputFile> output = OutputFile::Open(options_.output);
  if (!output.ok()) return output.status();
  output_.emplace(*std::move(output));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TextSource>> EncodeRun::OpenTexts(const std::string& input) {
  if (!options_.args.empty()) return MakeArgumentSource(options_.args);
  input_fd_ = STDIN_FILENO;
  if (!input.empty() && input != "-") {
    input_fd_ = open(input.c_str(), O_RDONLY | O_CLOEXEC);
    if (input_fd_ < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", input));
  }
  return MakeLineSource(input_fd_, {.stop_fd = stop_.fd()});
}

std::unique_ptr<ImageSource> EncodeRun::OpenImages(std::vector<std::string> paths) {
  num_images_ = paths.size();
  return std::make_unique<ImageSource>(std::move(paths), ImageSourceOptions{.stop_fd = stop_.fd()});
}

void EncodeRun::StartReport() {
  const bool reads_lines = input_fd_ >= 0;
  struct stat input {};
  if (reads_lines && fstat(input_fd_, &input) == 0 && S_ISREG(input.st_mode)) {
    report_options_.input_bytes = static_cast<uint64_t>(input.st_size);
  }
  report_options_.num_inputs = num_images_;
  report_options_.counts_tokens = num_images_ == 0;
  // A bar between the lines of the output, or under someone's typing, is only in the way.
  const bool shares_terminal = IsTerminal(output_->fd()) || (reads_lines && IsTerminal(input_fd_));
  const bool may_take_long = reads_lines || num_images_ > 1;
  if (may_take_long && !options_.quiet && !shares_terminal && IsTerminal(STDERR_FILENO)) {
    report_options_.progress_fd = STDERR_FILENO;
  }
  report_.emplace(report_options_);
  if (reads_lines && !options_.quiet && IsTerminal(input_fd_)) {
    report_->Print("type text, a line at a time; Ctrl-D ends");
  }
}

absl::Status EncodeRun::Note(const SourceText& text, const absl::Status& status, int64_t tokens) {
  if (IsAboutTheRequest(status)) return status;
  return report_->Add(text, WithoutIndex(status), tokens);
}

absl::Status EncodeRun::Note(const ImageFile& file, const absl::Status& status, int64_t tokens) {
  if (IsAboutTheRequest(status)) return status;
  return report_->Add(NameOf(file), file.bytes.size(), WithoutIndex(status), tokens);
}

absl::Status EncodeRun::Write(const std::string& text) {
  absl::Status written = output_->Write(text);
  output_failed_ = !written.ok();
  return written;
}

ExitCode EncodeRun::Conclude(const absl::Status& status) {
  report_->Finish();
  if (!options_.quiet && replaced_bytes_ > 0) {
    report_->Print(absl::StrCat("warning: ", replaced_bytes_,
                                " bytes of the input are not UTF-8 and were read as U+FFFD"));
  }
  if (!options_.quiet && num_truncated_ > 0) {
    report_->Print(absl::StrCat("warning: ", num_truncated_, " of ", report_->num_texts(), " ",
                                report_options_.units, " were longer than the model takes and were cut off"));
  }
  if (output_failed_ && absl::IsUnavailable(status)) return ExitCode::kOk;  // The reader has seen enough.
  const absl::Status ended = status.ok() ? output_->Commit() : status;
  if (ended.ok()) return report_->exit_code();
  if (absl::IsAborted(ended)) {  // By a failed input, which has been reported.
    report_->Print(std::string(ended.message()));
    return report_->exit_code();
  }
  const absl::StatusOr<std::string> partial =
      report_->num_texts() > 0 ? output_->KeepPartial() : absl::StatusOr<std::string>("");
  const std::string kept =
      partial.ok() && !partial->empty() ? absl::StrCat("; what is done is in ", *partial) : "";
  const std::string what = absl::IsCancelled(ended) ? absl::StrCat("interrupted after ", report_->num_texts(),
                                                                   " ", report_options_.units)
                                                    : DescribeError(ended, options_.connection.server);
  report_->Print(absl::StrCat(what, kept));
  return output_failed_ ? ExitCode::kFailed : ExitCodeFor(ended);
}

}  // namespace attendant::client
