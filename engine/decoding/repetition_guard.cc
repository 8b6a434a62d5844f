#include "engine/decoding/repetition_guard.h"

#include <algorithm>

namespace attendant {
namespace {

// Tokens at the end that equal the one `period` before them, counted to `limit`.
size_t RepeatedTail(absl::Span<const int32_t> tokens, size_t period, size_t limit) {
  size_t repeated = 0;
  for (size_t i = tokens.size(); i > period && repeated < limit; --i, ++repeated) {
    if (tokens[i - 1] != tokens[i - 1 - period]) break;
  }
  return repeated;
}

}  // namespace

std::optional<size_t> RepetitionGuard::CutAt(absl::Span<const int32_t> tokens) const {
  if (window_ == 0 || tokens.size() < window_) return std::nullopt;
  for (size_t period = 1; period <= window_ / 4; ++period) {
    const size_t repeated = window_ - period;
    if (RepeatedTail(tokens, period, repeated) == repeated) return tokens.size() - repeated;
  }
  return std::nullopt;
}

size_t RepetitionGuard::CertainLength(absl::Span<const int32_t> tokens) const {
  size_t repeated = 0;
  for (size_t period = 1; period <= window_ / 4; ++period) {
    repeated = std::max(repeated, RepeatedTail(tokens, period, tokens.size()));
  }
  return tokens.size() - repeated;
}

}  // namespace attendant
