#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"

namespace attendant {

// Finds a hypothesis that has begun to turn in circles: its last `window` tokens are one cycle of at most
// window / 4 tokens, so it has come round at least four times. Immutable: thread-safe. Tokens are those the
// search chose itself: no start token, no prefix.
class RepetitionGuard {
 public:
  // window_tokens: 0 finds nothing; else at least 4.
  explicit RepetitionGuard(int32_t window_tokens) : window_(static_cast<size_t>(window_tokens)) {}

  // How many tokens to keep, up to the end of the cycle's first turn, if tokens end in a cycle; of several
  // the shortest. Never for fewer than window_tokens tokens. To be asked after each token: then the cycle
  // began window tokens ago.
  std::optional<size_t> CutAt(absl::Span<const int32_t> tokens) const;
  // Tokens at the beginning that no later cut can take away.
  size_t CertainLength(absl::Span<const int32_t> tokens) const;

 private:
  size_t window_;
};

}  // namespace attendant
