#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace attendant {

// What a message may be made of, at all its levels together.
struct StructureLimits {
  // Fields in the bytes: each element of a repeated field that is not packed, each entry of a map, each
  // unknown field, and what is in the messages that are in it. Memory is 40 to 150 bytes for each.
  int64_t max_fields = 10'000;
  // Elements of one repeated field of one message; packed or not, or both.
  int64_t max_elements = 1'000'000;
  // Messages in messages; the message itself is 1.
  int32_t max_depth = 16;
};

// Walks the bytes of a message of this type without building anything, in time linear in them. Names the
// field that breaks a limit. INVALID_ARGUMENT a limit is broken, the bytes are not protobuf, or have groups,
// which no message of ours has.
absl::Status CheckMessageStructure(absl::string_view bytes, const google::protobuf::Descriptor& type,
                                   const StructureLimits& limits);

}  // namespace attendant
