#pragma once

#include <cstdint>
#include <random>

#include "engine/decoding/options.h"

namespace attendant {

// Options that combine rules at random, for a vocabulary of 40 to 60 tokens in which 0 ends and 1 starts.
inline DecodingOptions RandomOptions(uint32_t seed) {
  std::mt19937 random(seed);
  const auto pick = [&](int32_t low, int32_t high) {
    return low + static_cast<int32_t>(random() % static_cast<uint32_t>(high - low + 1));
  };
  const auto one_in = [&](int32_t n) { return pick(1, n) == 1; };
  DecodingOptions options;
  options.start_token = 1;
  options.end_tokens = {0};
  options.repetition_guard_tokens = 0;
  options.beam_size = pick(2, 8);
  options.num_hypotheses = pick(1, options.beam_size);
  options.early_stopping = static_cast<EarlyStopping>(pick(0, 2));
  options.length_penalty = static_cast<float>(pick(-2, 8)) / 4;
  options.max_length = pick(3, 20);
  options.force_end_at_max_length = one_in(2);
  if (one_in(3)) options.min_length = pick(1, options.max_length);
  if (one_in(3)) options.repetition_penalty = static_cast<float>(pick(3, 10)) / 4;
  if (one_in(3)) options.no_repeat_ngram_size = pick(1, 3);
  if (one_in(3)) options.end_tokens.push_back(pick(2, 30));
  if (one_in(4)) options.disable_unk = true;
  if (one_in(2)) options.unk_token = pick(31, 39);
  if (one_in(3)) {
    for (int i = 0; i < 40; ++i) options.suppress_sequences.push_back({pick(1, 39), pick(0, 39)});
    options.suppress_sequences.push_back({pick(1, 39), pick(1, 39), pick(1, 39)});
    options.suppress_sequences.push_back({pick(1, 39)});
    options.suppress_sequences.push_back({0});
  }
  if (one_in(4) && options.max_length > 5) options.target_prefix = {pick(31, 39), pick(31, 39)};
  return options;
}

}  // namespace attendant
