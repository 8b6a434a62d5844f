#include "server/message_structure.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <limits>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

absl::Status NotProtobuf() {
  return absl::InvalidArgumentError("the message is not valid protobuf");
}

class StructureWalker {
 public:
  StructureWalker(absl::string_view bytes, const StructureLimits& limits) : bytes_(bytes), limits_(limits) {}

  absl::Status Walk(const Descriptor& type) {
    if (bytes_.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return NotProtobuf();
    return WalkMessage(0, bytes_.size(), type, 1);
  }

 private:
  // The bytes from begin to end are a message of this type.
  absl::Status WalkMessage(size_t begin, size_t end, const Descriptor& type, int32_t depth) {
    if (depth > limits_.max_depth) {
      return absl::InvalidArgumentError(absl::StrCat("messages in messages, more than ", limits_.max_depth,
                                                     " deep"));
    }
    CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes_.data() + begin), static_cast<int>(end - begin));
    absl::flat_hash_map<int, int64_t> elements;  // By number; of the repeated fields of this message.
    while (const uint32_t tag = in.ReadTag()) {
      if (++num_fields_ > limits_.max_fields) {
        return absl::InvalidArgumentError(absl::StrCat("more than ", limits_.max_fields, " fields"));
      }
      const FieldDescriptor* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      ATTENDANT_RETURN_IF_ERROR(WalkField(in, tag, begin, field, depth, elements));
    }
    return in.ConsumedEntireMessage() ? absl::OkStatus() : NotProtobuf();
  }

  // in: after the tag; its position 0 is bytes_[begin]. field: null if unknown.
  absl::Status WalkField(CodedInputStream& in, uint32_t tag, size_t begin, const FieldDescriptor* field,
                         int32_t depth, absl::flat_hash_map<int, int64_t>& elements) {
    const auto wire_type = WireFormatLite::GetTagWireType(tag);
    if (wire_type == WireFormatLite::WIRETYPE_START_GROUP) {
      return absl::InvalidArgumentError("groups are not allowed");
    }
    if (wire_type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&in, tag)) return NotProtobuf();
      return Count(field, 1, elements);
    }
    int size = 0;
    if (!in.ReadVarintSizeAsInt(&size)) return NotProtobuf();
    const size_t from = begin + static_cast<size_t>(in.CurrentPosition());
    if (!in.Skip(size)) return NotProtobuf();
    const size_t to = from + static_cast<size_t>(size);
    if (field == nullptr) return absl::OkStatus();
    const bool is_packed = field->is_packable();
    ATTENDANT_RETURN_IF_ERROR(Count(field, is_packed ? NumPacked(from, to, *field) : 1, elements));
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return absl::OkStatus();
    return WalkMessage(from, to, *field->message_type(), depth + 1);
  }

  absl::Status Count(const FieldDescriptor* field, int64_t more,
                     absl::flat_hash_map<int, int64_t>& elements) const {
    if (field == nullptr || !field->is_repeated()) return absl::OkStatus();
    if ((elements[field->number()] += more) <= limits_.max_elements) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(field->name(), ": more than ", limits_.max_elements, " elements"));
  }

  int64_t NumPacked(size_t from, size_t to, const FieldDescriptor& field) const {
    switch (field.type()) {
      case FieldDescriptor::TYPE_DOUBLE:
      case FieldDescriptor::TYPE_FIXED64:
      case FieldDescriptor::TYPE_SFIXED64:
        return static_cast<int64_t>((to - from) / 8);
      case FieldDescriptor::TYPE_FLOAT:
      case FieldDescriptor::TYPE_FIXED32:
      case FieldDescriptor::TYPE_SFIXED32:
        return static_cast<int64_t>((to - from) / 4);
      default:  // Varints: each has one last byte.
        return std::count_if(bytes_.begin() + static_cast<std::ptrdiff_t>(from),
                             bytes_.begin() + static_cast<std::ptrdiff_t>(to),
                             [](char byte) { return (static_cast<unsigned char>(byte) & 0x80) == 0; });
    }
  }

  const absl::string_view bytes_;
  const StructureLimits& limits_;
  int64_t num_fields_ = 0;
};

}  // namespace

absl::Status CheckMessageStructure(absl::string_view bytes, const Descriptor& type,
                                   const StructureLimits& limits) {
  return StructureWalker(bytes, limits).Walk(type);
}

}  // namespace attendant
