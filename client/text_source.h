#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/line_reader.h"

namespace attendant::client {

struct SourceText {
  uint64_t number = 0;  // From 1.
  std::string text;     // Valid UTF-8.
  uint64_t input_bytes = 0;
};

// The texts of one run, in order. Not thread-safe.
class TextSource {
 public:
  virtual ~TextSource() = default;
  // nullopt at the end. Errors as LineReader's.
  virtual absl::StatusOr<std::optional<SourceText>> Next() = 0;
  // Whether Next() answers without waiting.
  virtual bool HasNext() = 0;

  // Invalid UTF-8 bytes that became U+FFFD so far.
  uint64_t replaced_bytes() const { return replaced_bytes_; }

 protected:
  SourceText Make(std::string text, uint64_t input_bytes);

 private:
  uint64_t number_ = 0;
  uint64_t replaced_bytes_ = 0;
};

// Each argument is a text.
std::unique_ptr<TextSource> MakeArgumentSource(std::vector<std::string> texts);
// Each line is a text.
std::unique_ptr<TextSource> MakeLineSource(int fd, const LineReaderOptions& options);
// The whole input is one text.
std::unique_ptr<TextSource> MakeWholeSource(int fd, const LineReaderOptions& options);

}  // namespace attendant::client
