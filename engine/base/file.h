#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace attendant {

// A regular file open for reading. It is read, not mapped: a mapped file that somebody cuts short kills the
// process with SIGBUS, and here that is an error of this model alone. Movable. Not thread-safe.
class InputFile {
 public:
  // Errors: NOT_FOUND; FAILED_PRECONDITION when it is no regular file or may not be read.
  static absl::StatusOr<InputFile> Open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  uint64_t size_bytes() const { return size_bytes_; }
  const std::string& path() const { return path_; }
  // Fills dst with the bytes from offset on. Errors: DATA_LOSS when the file ends before, or the read fails.
  absl::Status ReadAt(uint64_t offset, absl::Span<std::byte> dst) const;

 private:
  InputFile(std::string path, int fd, uint64_t size_bytes);

  std::string path_;
  int fd_;
  uint64_t size_bytes_;
};

// The text of a small file. Errors: as InputFile, and DATA_LOSS when it is longer than max_bytes.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, uint64_t max_bytes);

// The path of file `name` of a model directory with its links followed. A model says itself what its files
// are called, so the name must be plain (no '/', no NUL, not "..") and the file, once links are followed,
// within the directory. Errors: FAILED_PRECONDITION naming the rule that is broken, or why the file cannot be
// reached; NOT_FOUND when there is no such file.
absl::StatusOr<std::string> ResolveWithin(const std::string& dir, std::string_view name);

// The text of file `name` of a model directory. Errors: of both.
absl::StatusOr<std::string> ReadTextFileWithin(const std::string& dir, std::string_view name,
                                               uint64_t max_bytes);

}  // namespace attendant
