#include "client/translate_report.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands.h"
#include "client/connection.h"
#include "client/strings.h"

namespace attendant::client {
namespace {

constexpr uint64_t kMaxErrorsShown = 20;

// Errors that every other text will meet as well.
bool EndsTheRun(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsNotFound(status) || absl::IsFailedPrecondition(status) ||
         absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status) || absl::IsUnimplemented(status);
}

}  // namespace

TranslateReport::TranslateReport(ReportOptions options)
    : options_(std::move(options)), progress_(options_.progress_fd) {
  state_.units = absl::StrCat(options_.unit, "s");
  if (!options_.counts_tokens) state_.tokens.reset();
  state_.work_total = options_.num_inputs > 0 ? options_.num_inputs : options_.input_bytes;
}

absl::Status TranslateReport::Add(const SourceText& text, const absl::Status& status, int64_t output_tokens) {
  return Add(absl::StrCat(options_.unit, " ", text.number), text.input_bytes, status, output_tokens);
}

absl::Status TranslateReport::Add(std::string_view name, uint64_t input_bytes, const absl::Status& status,
                                  int64_t tokens) {
  if (EndsTheRun(status)) return status;
  ++state_.inputs;
  state_.work_done += options_.num_inputs > 0 ? 1 : input_bytes;
  if (state_.tokens.has_value()) *state_.tokens += static_cast<uint64_t>(tokens);
  state_.elapsed = absl::FromChrono(std::chrono::steady_clock::now() - begin_);
  if (!status.ok()) {
    num_deadlines_ += absl::IsDeadlineExceeded(status) ? 1 : 0;
    if (++num_failed_ <= kMaxErrorsShown) {
      Print(absl::StrCat(Absl(name), ": ", DescribeError(status, options_.server)));
    } else if (num_failed_ == kMaxErrorsShown + 1) {
      Print("further errors are counted only");
    }
  }
  progress_.Update(state_);
  return absl::OkStatus();
}

void TranslateReport::Print(std::string_view message) {
  progress_.Clear();
  PrintError(message);
}

void TranslateReport::Finish() {
  progress_.Finish(state_);
  if (num_failed_ > 0 && state_.inputs > 1) {
    PrintError(absl::StrCat(WithThousands(num_failed_), " of ", WithThousands(state_.inputs), " ",
                            options_.units, " failed"));
  }
}

ExitCode TranslateReport::exit_code() const {
  if (num_failed_ == 0) return ExitCode::kOk;
  return num_deadlines_ == num_failed_ ? ExitCode::kDeadline : ExitCode::kFailed;
}

}  // namespace attendant::client
