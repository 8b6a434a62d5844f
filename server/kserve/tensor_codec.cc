#include "server/kserve/tensor_codec.h"

#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace attendant::kserve {
namespace {

constexpr size_t kLengthBytes = 4;

uint32_t ReadLength(absl::string_view raw) {
  uint32_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= uint32_t{static_cast<uint8_t>(raw[i])} << (8 * i);
  return length;
}

void AppendWord(uint32_t word, std::string& bytes) {
  for (size_t i = 0; i < kLengthBytes; ++i) bytes.push_back(static_cast<char>(word >> (8 * i) & 0xFF));
}

absl::Status EndsWithin(size_t element) {
  return absl::InvalidArgumentError(absl::StrCat("its bytes end within element ", element,
                                                 "; each is a uint32 length, little-endian, and its bytes"));
}

inference::InferTensorContents ToContents(OutputTensor& tensor) {
  inference::InferTensorContents contents;
  if (auto* strings = std::get_if<std::vector<std::string>>(&tensor.elements)) {
    for (std::string& element : *strings) contents.add_bytes_contents(std::move(element));
  } else {
    const auto& floats = std::get<std::vector<float>>(tensor.elements);
    contents.mutable_fp32_contents()->Add(floats.begin(), floats.end());
  }
  return contents;
}

std::string ToRaw(const OutputTensor& tensor) {
  const auto* strings = std::get_if<std::vector<std::string>>(&tensor.elements);
  return strings != nullptr ? EncodeBytes(*strings)
                            : EncodeFloats(std::get<std::vector<float>>(tensor.elements));
}

}  // namespace

absl::StatusOr<int64_t> NumElements(absl::Span<const int64_t> shape) {
  if (shape.empty()) return absl::InvalidArgumentError("has no dimensions");
  int64_t product = 1;
  for (const int64_t dim : shape) {
    if (dim < 0) return absl::InvalidArgumentError(absl::StrCat(dim, " is negative"));
    if (dim > 0 && product > std::numeric_limits<int64_t>::max() / dim) {
      return absl::InvalidArgumentError("has more elements than a tensor can have");
    }
    product *= dim;
  }
  return product;
}

absl::StatusOr<std::vector<std::string>> DecodeBytes(absl::string_view raw, int64_t count) {
  std::vector<std::string> elements;
  for (int64_t i = 0; i < count; ++i) {
    if (raw.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("has ", i, " elements, its shape ", count));
    }
    if (raw.size() < kLengthBytes) return EndsWithin(elements.size());
    const size_t length = ReadLength(raw);
    raw.remove_prefix(kLengthBytes);
    if (raw.size() < length) return EndsWithin(elements.size());
    elements.emplace_back(raw.data(), length);
    raw.remove_prefix(length);
  }
  if (raw.empty()) return elements;
  return absl::InvalidArgumentError(
      absl::StrCat("has ", raw.size(), " bytes after the ", count, " elements of its shape"));
}

std::string EncodeBytes(absl::Span<const std::string> elements) {
  size_t size = 0;
  for (const std::string& element : elements) size += kLengthBytes + element.size();
  std::string bytes;
  bytes.reserve(size);
  for (const std::string& element : elements) {
    AppendWord(static_cast<uint32_t>(element.size()), bytes);
    bytes += element;
  }
  return bytes;
}

std::string EncodeFloats(absl::Span<const float> elements) {
  std::string bytes;
  bytes.reserve(elements.size() * sizeof(float));
  for (const float element : elements) {
    uint32_t word;
    static_assert(sizeof(word) == sizeof(element));
    std::memcpy(&word, &element, sizeof(word));
    AppendWord(word, bytes);
  }
  return bytes;
}

void AddOutput(OutputTensor tensor, TensorForm form, inference::ModelInferResponse& response) {
  inference::ModelInferResponse::InferOutputTensor& output = *response.add_outputs();
  output.set_name(tensor.name);
  output.set_datatype(std::holds_alternative<std::vector<float>>(tensor.elements) ? "FP32" : "BYTES");
  output.mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
  if (form == TensorForm::kRaw) {
    response.add_raw_output_contents(ToRaw(tensor));
  } else {
    *output.mutable_contents() = ToContents(tensor);
  }
}

}  // namespace attendant::kserve
