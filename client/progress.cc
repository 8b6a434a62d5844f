#include "client/progress.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/duration.h"
#include "client/terminal.h"

namespace attendant::client {
namespace {

constexpr int kBarColumns = 20;
constexpr absl::Duration kRedrawInterval = absl::Milliseconds(100);

uint64_t PerSecond(uint64_t count, absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  return seconds > 0 ? static_cast<uint64_t>(static_cast<double>(count) / seconds + 0.5) : 0;
}

std::string Bar(double share) {
  const auto filled = static_cast<size_t>(share * kBarColumns);
  return absl::StrCat("[", std::string(filled, '#'), std::string(kBarColumns - filled, '-'), "]");
}

// "203 lines/s", and "4,010 tokens/s" where they are counted.
std::vector<std::string> Rates(const ProgressState& state) {
  std::vector<std::string> rates = {
      absl::StrCat(WithThousands(PerSecond(state.inputs, state.elapsed)), " ", state.units, "/s")};
  if (state.tokens.has_value()) {
    rates.push_back(absl::StrCat(WithThousands(PerSecond(*state.tokens, state.elapsed)), " tokens/s"));
  }
  return rates;
}

}  // namespace

std::string WithThousands(uint64_t number) {
  if (number < 1000) return absl::StrCat(number);
  return absl::StrFormat("%s,%03d", WithThousands(number / 1000), number % 1000);
}

std::string FormatProgress(const ProgressState& state, int columns) {
  std::vector<std::string> parts = {absl::StrCat(WithThousands(state.inputs), " ", state.units)};
  const bool has_total = state.work_total > 0;
  const double share =
      has_total ? std::min(1.0, static_cast<double>(state.work_done) / static_cast<double>(state.work_total))
                : 0;
  if (has_total) parts.push_back(absl::StrFormat("%3d%% %s", static_cast<int>(share * 100), Bar(share)));
  for (std::string& rate : Rates(state)) parts.push_back(std::move(rate));
  if (has_total) {
    const absl::Duration left = share > 0 ? state.elapsed * (1 / share - 1) : absl::InfiniteDuration();
    parts.push_back(absl::StrCat("ETA ", FormatClock(left)));
  }
  std::string line;
  for (const std::string& part : parts) {
    const size_t separator = line.empty() ? 0 : 2;
    if (line.size() + separator + part.size() > static_cast<size_t>(columns)) break;
    line.append(separator, ' ').append(part);
  }
  return line;
}

std::string FormatSummary(const ProgressState& state) {
  return absl::StrFormat("%s %s in %.1f s (%s)", WithThousands(state.inputs), state.units,
                         absl::ToDoubleSeconds(state.elapsed), absl::StrJoin(Rates(state), ", "));
}

void ProgressBar::Update(const ProgressState& state) {
  if (fd_ < 0 || state.elapsed - last_drawn_ < kRedrawInterval) return;
  last_drawn_ = state.elapsed;
  shown_ = true;
  // One column stays free: a terminal that wraps there would scroll.
  WriteToTerminal(fd_, absl::StrCat("\r\x1b[K", FormatProgress(state, TerminalColumns(fd_) - 1)));
}

void ProgressBar::Clear() {
  if (!shown_) return;
  WriteToTerminal(fd_, "\r\x1b[K");
  shown_ = false;
}

void ProgressBar::Finish(const ProgressState& state) {
  if (fd_ < 0) return;
  Clear();
  WriteToTerminal(fd_, absl::StrCat(FormatSummary(state), "\n"));
}

}  // namespace attendant::client
