#pragma once

#include <cstdint>
#include <vector>

#include "engine/decoding/options.h"
#include "tests/engine/decoding/toy_model.h"

namespace attendant {

// What the reference searches find: tokens after the prefix, with the end token if there is one.
struct ReferenceResult {
  std::vector<int32_t> tokens;
  std::vector<float> log_probs;
  float score = 0;
};

// The vectorised beam search of `transformers` 5, written plainly over whole rows of logits and static
// arrays: every beam is always there (dead ones at -1e9), every rule works on the whole vocabulary. Knows no
// patience, coverage penalty or repetition guard.
std::vector<ReferenceResult> ReferenceBeamSearch(const DecodingOptions& options, const ToyLogits& model);

// Greedy search in the same manner; log_probs are log softmax of the processed logits, in double.
ReferenceResult ReferenceGreedy(const DecodingOptions& options, const ToyLogits& model);

}  // namespace attendant
