#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/tasks/translator.h"
#include "server/kserve/requested_outputs.h"
#include "server/kserve/tensor_codec.h"

namespace attendant::kserve {

// What the model said to one element of the input: the parts that were asked for.
struct ElementAnswer {
  TranslationResult translation;
  std::vector<float> embedding;
  std::vector<float> logits;
  std::vector<float> probabilities;
};

// Hypotheses of whole texts, as two rows of tensors.
struct TextHypotheses {
  std::vector<std::string> texts;
  std::vector<float> scores;
};
// `count` of them, best first. The j-th of a text is made of its sentences' j-th, a sentence that has fewer
// giving its last; its score is the mean of theirs, 0 without sentences. Beyond those of the richest
// sentence: "" and minus infinity.
TextHypotheses HypothesesOf(const TranslationResult& result, int32_t count);

// One output of a call. labels: of logits and probabilities.
OutputTensor MakeOutput(const RequestedOutput& output, absl::Span<const ElementAnswer> answers,
                        absl::Span<const std::string> labels, int32_t num_hypotheses);

}  // namespace attendant::kserve
