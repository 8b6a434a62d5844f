#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace attendant {

// One field of a serialised protocol buffer message.
struct WireField {
  enum class Type { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  uint32_t number = 0;
  Type type = Type::kVarint;
  uint64_t scalar = 0;     // kVarint, kFixed32 and kFixed64.
  std::string_view bytes;  // kBytes; a view into the message.
};

// Reads the fields of one protocol buffer message in order, and never past its end. Nested messages are read
// with a reader of their own, so recursion is the caller's, over the messages it knows. Groups, which no file
// of ours has, are refused. Source: protobuf.dev, "Encoding".
class WireReader {
 public:
  explicit WireReader(std::string_view message) : message_(message) {}

  bool AtEnd() const { return position_ == message_.size(); }

  // Must not be called at the end. Errors: DATA_LOSS, with the offset.
  absl::Status Next(WireField* field);

 private:
  absl::Status ReadVarint(uint64_t* value);
  absl::Status ReadFixed(size_t size_bytes, uint64_t* value);
  absl::Status ReadBytes(std::string_view* bytes);
  absl::Status Corrupt(std::string_view what) const;

  std::string_view message_;
  size_t position_ = 0;
};

}  // namespace attendant
