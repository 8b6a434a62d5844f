#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace attendant {

// What a message may be, checked on its bytes before memory is spent on its fields: protobuf turns two bytes
// of an empty repeated field into forty of memory. Only the top level is looked into: max_other_bytes bounds
// what the messages within can grow to.
struct MessageLimits {
  int64_t max_bytes = 64 * 1024;        // Once decompressed.
  int32_t bulk_field = 0;               // The field that carries the data ...
  int32_t max_bulk_fields = 0;          // ... may come so often;
  int64_t max_other_bytes = 64 * 1024;  // all other fields together have so many bytes,
  int32_t max_other_fields = 64;        // and are so many.
};

// Parses what a client sent, gzip or plain. The server switches gRPC's own decompression off, which knows no
// bound: 4 MiB of gzip may hold 4 GiB. Errors, with a RejectReason: RESOURCE_EXHAUSTED too large;
// INVALID_ARGUMENT the structure is wrong.
absl::Status ParseMessage(const grpc::ByteBuffer& buffer, const MessageLimits& limits,
                          google::protobuf::MessageLite& message);

// What ParseMessage parses, for a message whose structure is checked elsewhere: decompressed, of at most
// max_bytes. Errors: of these the same.
absl::StatusOr<std::string> ReadMessage(const grpc::ByteBuffer& buffer, const MessageLimits& limits);

grpc::ByteBuffer SerializeMessage(const google::protobuf::MessageLite& message);

}  // namespace attendant
