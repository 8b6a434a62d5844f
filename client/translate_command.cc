#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/commands.h"
#include "client/connection.h"
#include "client/output_file.h"
#include "client/render.h"
#include "client/stop_signal.h"
#include "client/terminal.h"
#include "client/translate_options.h"
#include "client/translate_pipeline.h"
#include "client/translate_report.h"
#include "client/translate_stream.h"

namespace attendant::client {
namespace {

constexpr size_t kMaxImageMaps = 64;

// One run of `attendant translate`, from checked options to the exit code.
class TranslateRun {
 public:
  explicit TranslateRun(TranslateOptions options) : options_(std::move(options)) {
    options_.connection.stop_fd = stop_.fd();
  }
  ~TranslateRun() {
    if (input_fd_ > STDERR_FILENO) close(input_fd_);
  }

  ExitCode Run();

 private:
  absl::Status OpenInput();
  void MakeReport();
  absl::Status Translate();
  absl::Status Pipeline(const std::shared_ptr<grpc::Channel>& channel);
  absl::Status Deliver(const TextResult& result);
  void CollectMaps(const v1::Translation& translation);
  absl::Status WriteImage() const;
  void WarnAboutInput();
  // Ends the output as the run ended.
  ExitCode Conclude(const absl::Status& status);
  TextFormat Format() const;

  TranslateOptions options_;
  StopSignal stop_;
  int input_fd_ = STDIN_FILENO;
  std::unique_ptr<TextSource> source_;
  std::optional<OutputFile> output_;
  std::optional<TranslateReport> report_;
  bool output_failed_ = false;  // Set before the delivering thread ends.
  std::vector<HeatMap> maps_;
};

absl::Status TranslateRun::OpenInput() {
  if (!options_.texts.empty()) {
    source_ = MakeArgumentSource(options_.texts);
    return absl::OkStatus();
  }
  if (!options_.input.empty() && options_.input != "-") {
    input_fd_ = open(options_.input.c_str(), O_RDONLY | O_CLOEXEC);
    if (input_fd_ < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", options_.input));
  }
  const LineReaderOptions reader{.stop_fd = stop_.fd()};
  source_ = options_.whole ? MakeWholeSource(input_fd_, reader) : MakeLineSource(input_fd_, reader);
  return absl::OkStatus();
}

void TranslateRun::MakeReport() {
  const bool has_arguments = !options_.texts.empty();
  ReportOptions report{.server = options_.connection.server};
  report.unit = has_arguments || options_.whole ? "text" : "line";
  struct stat input {};
  if (!has_arguments && fstat(input_fd_, &input) == 0 && S_ISREG(input.st_mode)) {
    report.input_bytes = static_cast<uint64_t>(input.st_size);
  }
  // A bar between the lines of a translation, or under someone's typing, is only in the way.
  const bool shares_terminal = IsTerminal(output_->fd()) || IsTerminal(input_fd_);
  if (!has_arguments && !options_.quiet && !shares_terminal && IsTerminal(STDERR_FILENO)) {
    report.progress_fd = STDERR_FILENO;
  }
  report_.emplace(std::move(report));
  if (!has_arguments && !options_.quiet && IsTerminal(input_fd_)) {
    report_->Print("type text, a line at a time; Ctrl-D ends");
  }
}

TextFormat TranslateRun::Format() const {
  return {.scores = options_.scores,
          .n_best = options_.request.options().has_num_hypotheses(),
          .alignment = options_.alignment,
          .style = {.color = WantsColor(output_->fd()), .columns = TerminalColumns(output_->fd())}};
}

void TranslateRun::CollectMaps(const v1::Translation& translation) {
  for (const v1::SentenceTranslation& sentence : translation.sentences()) {
    if (maps_.size() == kMaxImageMaps) return;
    absl::StatusOr<HeatMap> map = MakeHeatMap(sentence);
    if (map.ok() && !map->target_tokens.empty()) maps_.push_back(*std::move(map));
  }
}

absl::Status TranslateRun::Deliver(const TextResult& result) {
  const absl::Status verdict = report_->Add(result.source, result.status, result.translation.output_tokens());
  if (!verdict.ok()) return verdict;
  if (!options_.output_image.empty()) CollectMaps(result.translation);
  absl::Status written = output_->Write(options_.json ? RenderJson(result) : RenderText(result, Format()));
  output_failed_ = !written.ok();
  return written;
}

absl::Status TranslateRun::Pipeline(const std::shared_ptr<grpc::Channel>& channel) {
  TranslateCalls calls(channel, {.deadline = options_.deadline,
                                 .max_retries = options_.retries,
                                 .unavailable_wait = options_.connection.wait});
  TranslatePipeline pipeline(calls, {.max_calls = static_cast<size_t>(options_.concurrency),
                                     .max_batch = static_cast<size_t>(options_.batch),
                                     .prototype = options_.request});
  stop_.OnStop([&pipeline] { pipeline.Stop(); });
  const absl::Status status = pipeline.Run(*source_, [this](const TextResult& result) {
    absl::Status delivered = Deliver(result);
    if (!delivered.ok()) stop_.Stop();  // Wakes a reader that waits for more input.
    return delivered;
  });
  stop_.OnStop({});
  return status;
}

absl::Status TranslateRun::Translate() {
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = Connect(options_.connection);
  if (!channel.ok()) return channel.status();
  if (!options_.stream) return Pipeline(*channel);
  const auto report = [this](const SourceText& text, const absl::Status& status) {
    constexpr int64_t kNotCounted = 0;
    return report_->Add(text, status, kNotCounted);
  };
  return StreamTexts(*channel, options_, *source_, *output_, stop_, report);
}

absl::Status TranslateRun::WriteImage() const {
  if (options_.output_image.empty() || maps_.empty()) return absl::OkStatus();
  if (absl::EndsWithIgnoreCase(options_.output_image, ".svg")) {
    return WriteFileAtomically(options_.output_image, RenderSvg(maps_));
  }
  const absl::StatusOr<std::string> png = RenderPng(maps_);
  return png.ok() ? WriteFileAtomically(options_.output_image, *png) : png.status();
}

void TranslateRun::WarnAboutInput() {
  if (options_.quiet || source_->replaced_bytes() == 0) return;
  report_->Print(absl::StrCat("warning: ", source_->replaced_bytes(),
                              " bytes of the input are not UTF-8 and were read as U+FFFD"));
}

ExitCode TranslateRun::Conclude(const absl::Status& status) {
  report_->Finish();
  WarnAboutInput();
  if (output_failed_ && absl::IsUnavailable(status)) return ExitCode::kOk;  // The reader has seen enough.
  absl::Status ended = status.ok() ? output_->Commit() : status;
  if (ended.ok()) ended = WriteImage();
  if (ended.ok()) return report_->exit_code();
  const absl::StatusOr<std::string> partial =
      report_->num_texts() > 0 ? output_->KeepPartial() : absl::StatusOr<std::string>("");
  const std::string kept =
      partial.ok() && !partial->empty() ? absl::StrCat("; what is done is in ", *partial) : "";
  const std::string what = absl::IsCancelled(ended)
                               ? absl::StrCat("interrupted after ", report_->num_texts(), " texts")
                               : DescribeError(ended, options_.connection.server);
  report_->Print(absl::StrCat(what, kept));
  return output_failed_ ? ExitCode::kFailed : ExitCodeFor(ended);
}

ExitCode TranslateRun::Run() {
  if (const absl::Status status = OpenInput(); !status.ok()) return UsageError(status, "translate");
  absl::StatusOr<OutputFile> output = OutputFile::Open(options_.output);
  if (!output.ok()) return UsageError(output.status(), "translate");
  output_.emplace(*std::move(output));
  MakeReport();
  return Conclude(Translate());
}

}  // namespace

ExitCode RunTranslate(const Args& args) {
  TranslateOptions options;
  ExitCode exit_code = ExitCode::kOk;
  std::optional<std::vector<std::string>> texts =
      ParseOrExplain(MakeTranslateFlags(options), args, exit_code);
  if (!texts.has_value()) return exit_code;
  options.texts = *std::move(texts);
  absl::Status status = CompleteOptions(options);
  if (status.ok()) status = NormalizeServer(options.connection.server).status();
  if (!status.ok()) return UsageError(status, "translate");
  return TranslateRun(std::move(options)).Run();
}

}  // namespace attendant::client
