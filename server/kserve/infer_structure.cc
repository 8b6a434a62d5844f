#include "server/kserve/infer_structure.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/grpc_status.h"
#include "server/message.h"

namespace attendant::kserve {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using inference::InferTensorContents;
using inference::ModelInferRequest;
using InputTensor = ModelInferRequest::InferInputTensor;

struct FieldCounts {
  int64_t inputs = 0;
  int64_t raw_contents = 0;
  int64_t elements = 0;
  int64_t outputs = 0;
  int64_t parameters = 0;
  int64_t others = 0;
  int64_t other_bytes = 0;
};

absl::Status WrongStructure(absl::string_view what) {
  return Rejected(RejectReason::kStructure, absl::InvalidArgumentError(what));
}

absl::Status CheckCount(absl::string_view field, int64_t count, int64_t max) {
  if (count <= max) return absl::OkStatus();
  return WrongStructure(absl::StrCat(field, ": more than the limit of ", max));
}

absl::Status CheckCounts(const FieldCounts& counts, const InferLimits& limits) {
  ATTENDANT_RETURN_IF_ERROR(CheckCount("inputs", counts.inputs, limits.max_inputs));
  ATTENDANT_RETURN_IF_ERROR(CheckCount("raw_input_contents", counts.raw_contents, limits.max_inputs));
  ATTENDANT_RETURN_IF_ERROR(CheckCount("contents.bytes_contents", counts.elements, limits.max_elements));
  ATTENDANT_RETURN_IF_ERROR(CheckCount("outputs", counts.outputs, limits.max_outputs));
  ATTENDANT_RETURN_IF_ERROR(CheckCount("parameters", counts.parameters, limits.max_parameters));
  if (counts.others <= limits.max_other_fields && counts.other_bytes <= limits.max_other_bytes) {
    return absl::OkStatus();
  }
  return WrongStructure(
      "the fields of the request, the data of BYTES tensors aside, are too many or too large");
}

// Walks the message and the messages in it that carry data; of the rest it counts bytes. Stops where the
// bytes are no message, or a limit is passed: each walk is then false.
class StructureWalk {
 public:
  StructureWalk(const std::string& bytes, const InferLimits& limits)
      : limits_(limits),
        in_(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {}

  bool WalkRequest() {
    while (const uint32_t tag = in_.ReadTag()) {
      bool is_good = false;
      if (Is(tag, ModelInferRequest::kInputsFieldNumber)) {
        ++counts_.inputs;
        is_good = Descend(&StructureWalk::WalkInput);
      } else if (Is(tag, ModelInferRequest::kRawInputContentsFieldNumber)) {
        ++counts_.raw_contents;
        is_good = Skip(tag);
      } else if (Is(tag, ModelInferRequest::kOutputsFieldNumber)) {
        is_good = SkipCounted(tag, counts_.outputs);
      } else if (Is(tag, ModelInferRequest::kParametersFieldNumber)) {
        is_good = SkipCounted(tag, counts_.parameters);
      } else {
        is_good = SkipCounted(tag, counts_.others);
      }
      if (!is_good || IsBeyondLimits()) return false;
    }
    return in_.ConsumedEntireMessage();
  }
  const FieldCounts& counts() const { return counts_; }

 private:
  static bool Is(uint32_t tag, int field) {
    return tag == WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  }
  bool Skip(uint32_t tag) { return WireFormatLite::SkipField(&in_, tag); }
  bool SkipCounted(uint32_t tag, int64_t& count) {
    ++count;
    const int start = in_.CurrentPosition();
    const bool is_good = Skip(tag);
    counts_.other_bytes += in_.CurrentPosition() - start;
    return is_good;
  }

  bool Descend(bool (StructureWalk::*walk)()) {
    uint32_t length = 0;
    if (!in_.ReadVarint32(&length) || length > static_cast<uint32_t>(in_.BytesUntilTotalBytesLimit())) {
      return false;
    }
    const int end = in_.CurrentPosition() + static_cast<int>(length);
    const CodedInputStream::Limit outer = in_.PushLimit(static_cast<int>(length));
    const bool is_good = (this->*walk)() && in_.CurrentPosition() == end;
    in_.PopLimit(outer);
    return is_good;
  }

  bool WalkInput() {
    while (const uint32_t tag = in_.ReadTag()) {
      bool is_good = false;
      if (Is(tag, InputTensor::kContentsFieldNumber)) {
        ++counts_.others;
        is_good = Descend(&StructureWalk::WalkContents);
      } else if (Is(tag, InputTensor::kParametersFieldNumber)) {
        is_good = SkipCounted(tag, counts_.parameters);
      } else {
        is_good = SkipCounted(tag, counts_.others);
      }
      if (!is_good || IsBeyondLimits()) return false;
    }
    return true;
  }

  bool WalkContents() {
    while (const uint32_t tag = in_.ReadTag()) {
      if (Is(tag, InferTensorContents::kBytesContentsFieldNumber)) {
        ++counts_.elements;
        if (!Skip(tag)) return false;
      } else if (!SkipCounted(tag, counts_.others)) {
        return false;
      }
      if (IsBeyondLimits()) return false;
    }
    return true;
  }

  bool IsBeyondLimits() const { return !CheckCounts(counts_, limits_).ok(); }

  const InferLimits& limits_;
  CodedInputStream in_;
  FieldCounts counts_;
};

}  // namespace

absl::Status CheckInferStructure(const std::string& bytes, const InferLimits& limits) {
  StructureWalk walk(bytes, limits);
  const bool is_good = walk.WalkRequest();
  ATTENDANT_RETURN_IF_ERROR(CheckCounts(walk.counts(), limits));
  return is_good ? absl::OkStatus() : WrongStructure("the message is not valid protobuf");
}

absl::StatusOr<ParsedInferRequest> ParseInferRequest(const grpc::ByteBuffer& buffer,
                                                     const InferLimits& limits) {
  MessageLimits message_limits;
  message_limits.max_bytes = limits.max_bytes;
  ATTENDANT_ASSIGN_OR_RETURN(const std::string bytes, ReadMessage(buffer, message_limits));
  ATTENDANT_RETURN_IF_ERROR(CheckInferStructure(bytes, limits));
  ParsedInferRequest request;
  request.bytes = static_cast<int64_t>(bytes.size());
  if (!request.message.ParseFromString(bytes)) {
    return WrongStructure("the message is not valid: malformed, or a string is not UTF-8");
  }
  return request;
}

}  // namespace attendant::kserve
