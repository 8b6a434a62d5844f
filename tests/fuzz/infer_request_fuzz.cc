// A ModelInferRequest that nobody has checked: refused by its structure, or parsed and decoded within the limits
// that the structure promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/kserve/infer_input.h"
#include "server/kserve/infer_structure.h"

namespace {

using attendant::kserve::InferInput;
using attendant::kserve::InferLimits;
using attendant::kserve::InputRules;

constexpr int32_t kMaxElements = 8;
constexpr int64_t kMaxElementBytes = 64;

void Expect(bool holds) {
  if (!holds) std::abort();
}

void CheckInput(const InferInput& input, size_t message_bytes) {
  Expect(!input.elements.empty() && input.elements.size() <= kMaxElements);
  size_t bytes = 0;
  for (const std::string& element : input.elements) {
    Expect(element.size() <= static_cast<size_t>(kMaxElementBytes));
    bytes += element.size();
  }
  Expect(bytes <= message_bytes);
  const auto decoded = attendant::kserve::DecodeBytes(attendant::kserve::EncodeBytes(input.elements),
                                                      static_cast<int64_t>(input.elements.size()));
  Expect(decoded.ok() && *decoded == input.elements);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  InferLimits limits;
  limits.max_elements = kMaxElements;
  const grpc::Slice slice(data, size);
  auto request = attendant::kserve::ParseInferRequest(grpc::ByteBuffer(&slice, 1), limits);
  if (!request.ok()) return 0;
  Expect(request->message.inputs_size() <= limits.max_inputs);
  Expect(request->message.raw_input_contents_size() <= limits.max_inputs);
  Expect(request->message.outputs_size() <= limits.max_outputs);
  // Two bytes a field may become forty; data stays as long as it is.
  Expect(request->message.SpaceUsedLong() <= 100 * static_cast<size_t>(limits.max_other_bytes) +
                                                 4 * static_cast<size_t>(request->bytes));
  const InputRules rules{"text", kMaxElements, kMaxElementBytes};
  const auto input = attendant::kserve::TakeInput(rules, request->message);
  if (input.ok()) CheckInput(*input, static_cast<size_t>(request->bytes));
  return 0;
}
