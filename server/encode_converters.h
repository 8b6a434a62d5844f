#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "attendant/v1/classification_service.pb.h"
#include "attendant/v1/embedding_service.pb.h"
#include "engine/tasks/image_model.h"
#include "engine/tasks/text_model.h"

namespace attendant {

// Between the messages of the embedding and classification services and the types of their tasks.

v1::EncodeTiming ToProto(const EncodeTiming& timing);

// Numbers in the format asked for (VECTOR_FORMAT_UNSPECIFIED: FLOAT32).
v1::Vector ToProto(absl::Span<const float> values, v1::VectorFormat format);

// The likeliest labels, likeliest first.
std::vector<v1::Label> TopLabels(absl::Span<const float> probabilities, absl::Span<const std::string> names,
                                 int32_t count);

v1::AttentionMap ToProto(const AttentionMap& map);

// text: what the spans are of. without_prefix: "B-PER" becomes "PER".
struct SpanNames {
  absl::Span<const std::string> labels;
  bool without_prefix = false;
};
v1::LabelledSpan ToProto(const LabelledSpan& span, const std::string& text, const SpanNames& names);

inline constexpr int32_t kDefaultTopK = 5;

}  // namespace attendant
