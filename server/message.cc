#include "server/message.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/grpc_status.h"

namespace attendant {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// A protobuf message never begins so: it would be field 3 of a wire type that does not exist.
constexpr absl::string_view kGzipMagic = "\x1f\x8b";

absl::Status TooLarge(const MessageLimits& limits) {
  return Rejected(RejectReason::kTooLarge, absl::ResourceExhaustedError(absl::StrCat(
                                               "the message is larger than the server's limit of ",
                                               limits.max_bytes, " bytes; send fewer or smaller inputs")));
}

absl::Status BadStructure(absl::string_view what) {
  return Rejected(RejectReason::kStructure, absl::InvalidArgumentError(what));
}

std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// Runs inflate until the end of the stream or of the limit.
absl::StatusOr<std::string> InflateAll(z_stream& stream, const MessageLimits& limits) {
  std::string result;
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    constexpr int64_t kChunk = 64 * 1024;
    const size_t done = result.size();
    // One byte more than the limit tells "too large" from "just fits".
    const int64_t room = std::min(kChunk, limits.max_bytes + 1 - static_cast<int64_t>(done));
    if (room <= 0) return TooLarge(limits);
    result.resize(done + room);
    stream.next_out = reinterpret_cast<Bytef*>(result.data() + done);
    stream.avail_out = static_cast<uInt>(room);
    code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END) return BadStructure("the message is not valid gzip");
    result.resize(result.size() - stream.avail_out);
  }
  if (static_cast<int64_t>(result.size()) > limits.max_bytes) return TooLarge(limits);
  return result;
}

absl::StatusOr<std::string> Gunzip(std::string& bytes, const MessageLimits& limits) {
  constexpr int kGzipWindowBits = 15 + 16;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) return absl::InternalError("zlib cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  absl::StatusOr<std::string> result = InflateAll(stream, limits);
  inflateEnd(&stream);
  return result;
}

// Walks the top level of the message without building anything.
absl::Status CheckStructure(const std::string& bytes, const MessageLimits& limits) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  int32_t bulk_fields = 0;
  int32_t other_fields = 0;
  int64_t other_bytes = 0;
  while (const uint32_t tag = in.ReadTag()) {
    const int start = in.CurrentPosition();
    if (!WireFormatLite::SkipField(&in, tag)) return BadStructure("the message is not valid protobuf");
    if (WireFormatLite::GetTagFieldNumber(tag) == limits.bulk_field) {
      ++bulk_fields;
    } else {
      ++other_fields;
      other_bytes += in.CurrentPosition() - start;
    }
  }
  if (!in.ConsumedEntireMessage()) return BadStructure("the message is not valid protobuf");
  if (limits.bulk_field != 0 && bulk_fields > limits.max_bulk_fields) {
    return BadStructure(absl::StrCat(bulk_fields, " inputs in one call are more than the limit of ",
                                     limits.max_bulk_fields, "; send several calls"));
  }
  if (other_fields > limits.max_other_fields || other_bytes > limits.max_other_bytes) {
    return BadStructure("the fields of the request, its inputs aside, are too many or too large");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadMessage(const grpc::ByteBuffer& buffer, const MessageLimits& limits) {
  if (static_cast<int64_t>(buffer.Length()) > limits.max_bytes) return TooLarge(limits);
  std::string bytes = Flatten(buffer);
  if (absl::StartsWith(bytes, kGzipMagic)) return Gunzip(bytes, limits);
  return bytes;
}

absl::Status ParseMessage(const grpc::ByteBuffer& buffer, const MessageLimits& limits,
                          google::protobuf::MessageLite& message) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string bytes, ReadMessage(buffer, limits));
  ATTENDANT_RETURN_IF_ERROR(CheckStructure(bytes, limits));
  if (!message.ParseFromString(bytes)) {
    return BadStructure("the message is not valid: malformed, or a field other than the inputs is not UTF-8");
  }
  return absl::OkStatus();
}

grpc::ByteBuffer SerializeMessage(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace attendant
