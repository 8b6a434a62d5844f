#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace attendant::client {

struct ProgressState {
  std::string units = "lines";  // What the inputs are called.
  uint64_t inputs = 0;
  std::optional<uint64_t> tokens = 0;  // nullopt: they are not counted, as of images.
  // How much of the whole is done, in bytes or in inputs.
  uint64_t work_done = 0;
  uint64_t work_total = 0;  // 0: not known, as for a pipe.
  absl::Duration elapsed = absl::ZeroDuration();
};

// "12,345".
std::string WithThousands(uint64_t number);

// One line of at most `columns` columns: "  812 lines  41% [########------------]  203 lines/s  4,010
// tokens/s  ETA 0:06". Without a total there is neither bar nor ETA. What does not fit is left out from the
// right.
std::string FormatProgress(const ProgressState& state, int columns);

// "2,000 lines in 9.8 s (203 lines/s, 4,010 tokens/s)".
std::string FormatSummary(const ProgressState& state);

// Draws the bar on a terminal, at most ten times a second. Not thread-safe.
class ProgressBar {
 public:
  // Draws nothing where fd is -1.
  explicit ProgressBar(int fd) : fd_(fd) {}

  void Update(const ProgressState& state);
  // Takes the bar off the screen, so that something else can be written; it comes back with the next Update.
  void Clear();
  // Leaves the summary in the place of the bar.
  void Finish(const ProgressState& state);

 private:
  int fd_;
  bool shown_ = false;
  absl::Duration last_drawn_ = -absl::InfiniteDuration();
};

}  // namespace attendant::client
