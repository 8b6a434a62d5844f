#include "server/encode_converters.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/tasks/class_scores.h"
#include "engine/text/utf8.h"
#include "server/converters.h"

namespace attendant {
namespace {

// To the nearest half, ties to even; beyond the largest, infinity.
uint16_t ToHalf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const float magnitude = std::abs(value);
  if (!(magnitude < 65520.0f)) return static_cast<uint16_t>(sign | (std::isnan(value) ? 0x7E00 : 0x7C00));
  if (magnitude < 0x1p-14f) {  // Subnormal: a whole number of 2^-24.
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f)));
  }
  const uint32_t rounded = (bits & 0x7FFFFFFF) + 0xFFF + ((bits >> 13) & 1);
  return static_cast<uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
}

std::string Halves(absl::Span<const float> values) {
  std::string bytes;
  for (const float value : values) {
    const uint16_t half = ToHalf(value);
    bytes.push_back(static_cast<char>(half & 0xFF));
    bytes.push_back(static_cast<char>(half >> 8));
  }
  return bytes;
}

std::string SignBits(absl::Span<const float> values) {
  std::string bytes((values.size() + 7) / 8, '\0');
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] > 0) bytes[i / 8] = static_cast<char>(bytes[i / 8] | (0x80 >> (i % 8)));
  }
  return bytes;
}

void FillInt8(absl::Span<const float> values, v1::Vector& vector) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  const float quotient = largest / 127;
  const float scale = quotient > 0 ? quotient : 1;  // Of all zeros, or so small that they are none.
  std::string bytes;
  for (const float value : values) {
    bytes.push_back(static_cast<char>(static_cast<int8_t>(std::nearbyint(value / scale))));
  }
  vector.set_scale(scale);
  vector.set_packed(std::move(bytes));
}

}  // namespace

v1::EncodeTiming ToProto(const EncodeTiming& timing) {
  v1::EncodeTiming result;
  *result.mutable_prepare() = ToProto(timing.prepare);
  *result.mutable_queue() = ToProto(timing.queue);
  *result.mutable_encode() = ToProto(timing.encode);
  *result.mutable_total() = ToProto(timing.total);
  return result;
}

v1::Vector ToProto(absl::Span<const float> values, v1::VectorFormat format) {
  v1::Vector vector;
  vector.set_dimensions(static_cast<int32_t>(values.size()));
  vector.set_format(format == v1::VECTOR_FORMAT_UNSPECIFIED ? v1::VECTOR_FORMAT_FLOAT32 : format);
  switch (vector.format()) {
    case v1::VECTOR_FORMAT_FLOAT16:
      vector.set_packed(Halves(values));
      break;
    case v1::VECTOR_FORMAT_INT8:
      FillInt8(values, vector);
      break;
    case v1::VECTOR_FORMAT_BINARY:
      vector.set_packed(SignBits(values));
      break;
    default:
      vector.mutable_values()->Add(values.begin(), values.end());
  }
  return vector;
}

std::vector<v1::Label> TopLabels(absl::Span<const float> probabilities, absl::Span<const std::string> names,
                                 int32_t count) {
  std::vector<v1::Label> labels;
  for (const int32_t index : TopIndices(probabilities, count)) {
    labels.emplace_back();
    labels.back().set_name(names[static_cast<size_t>(index)]);
    labels.back().set_index(index);
    labels.back().set_probability(probabilities[static_cast<size_t>(index)]);
  }
  return labels;
}

v1::AttentionMap ToProto(const AttentionMap& map) {
  v1::AttentionMap result;
  result.set_height(map.height);
  result.set_width(map.width);
  result.mutable_weights()->Add(map.weights.begin(), map.weights.end());
  result.set_left(map.left);
  result.set_top(map.top);
  result.set_right(map.right);
  result.set_bottom(map.bottom);
  return result;
}

v1::LabelledSpan ToProto(const LabelledSpan& span, const std::string& text, const SpanNames& names) {
  v1::LabelledSpan result;
  result.set_begin_byte(static_cast<int32_t>(span.begin));
  result.set_end_byte(static_cast<int32_t>(span.end));
  result.set_text(ReplaceInvalidUtf8(text.substr(span.begin, span.end - span.begin)));
  const std::string& label = names.labels[static_cast<size_t>(span.label)];
  const bool has_prefix = absl::StartsWith(label, "B-") || absl::StartsWith(label, "I-");
  result.set_label(names.without_prefix && has_prefix ? label.substr(2) : label);
  result.set_probability(span.probability);
  return result;
}

}  // namespace attendant
