#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace attendant::client {

struct Line {
  std::string text;          // Without its line break (LF or CRLF).
  uint64_t input_bytes = 0;  // With it.
};

struct LineReaderOptions {
  int stop_fd = -1;                  // Reading ends with CANCELLED when this becomes readable. -1: none.
  size_t max_text_bytes = 64 << 20;  // Of a line, or of the whole input for ReadAll.
};

// Lines of a file, pipe or terminal. A byte order mark at the beginning is left out; a last line needs no
// line break; what follows the last line break counts only if it is not empty. Not thread-safe. Does not own
// fd.
class LineReader {
 public:
  LineReader(int fd, const LineReaderOptions& options) : fd_(fd), options_(options) {}

  // The next line; blocks until there is one. nullopt at the end.
  // CANCELLED: stopped; RESOURCE_EXHAUSTED: longer than max_text_bytes; UNKNOWN: cannot be read.
  absl::StatusOr<std::optional<Line>> Next();

  // Whether Next() would answer without waiting for the other end of a pipe or a terminal.
  bool HasLine();

  // All that is left, as it is. Errors as Next().
  absl::StatusOr<std::string> ReadAll();

 private:
  // Reads some more into buffer_; sets at_end_.
  absl::Status Fill();
  // OK when fd_ can be read.
  absl::Status WaitReadable();
  absl::Status TooLong() const;
  void DropByteOrderMark();
  Line Take(size_t length, size_t line_break);

  int fd_;
  LineReaderOptions options_;
  std::string buffer_;  // Read, not yet handed out: from begin_ on.
  size_t begin_ = 0;
  size_t scanned_ = 0;  // No line break in buffer_ before this.
  bool at_end_ = false;
  bool began_ = false;  // The byte order mark was looked for.
  uint64_t num_lines_ = 0;
};

}  // namespace attendant::client
