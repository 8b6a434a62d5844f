#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "engine/decoding/search.h"

namespace attendant {

// A language model small enough to be looked through: logits as a function of all tokens fed, start token
// first.
using ToyLogits = std::function<std::vector<float>(absl::Span<const int32_t> fed)>;

// Logits that look random but depend on nothing but seed and history: about normal with deviation 2, the end
// token biased.
struct HashModel {
  uint64_t seed = 0;
  int32_t vocab_size = 40;
  int32_t end_token = 0;
  float end_bias = 0;
  std::vector<float> operator()(absl::Span<const int32_t> fed) const;
};

// Cross-attention as a function of the history: three source tokens.
std::vector<float> ToyAttention(absl::Span<const int32_t> fed);

float LogSumExp(absl::Span<const float> logits);

// What drove a search saw, for tests of the protocol.
struct ToyRun {
  std::vector<Hypothesis> hypotheses;
  std::vector<int> rows_per_step;
  std::vector<std::vector<int32_t>> certain_tokens;  // After each step.
};

// Runs a search to its end against the model, as a decoder would: answers exactly what the rows ask for.
// Checks, by gtest, that each row continues the history of the row that Advance named as its parent.
ToyRun RunSearch(const DecodingOptions& options, int32_t vocab_size, const ToyLogits& model);

// The hypotheses only.
std::vector<Hypothesis> Decode(const DecodingOptions& options, int32_t vocab_size, const ToyLogits& model);

}  // namespace attendant
