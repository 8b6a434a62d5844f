#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "engine/tensor/thread_team.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// One text to encode.
struct TextItem {
  absl::Span<const int32_t> tokens;  // With the special tokens, as the model was trained. 1 to max_tokens.
  absl::Span<const int32_t> types;   // Parallel to tokens, each below num_types; all 0 if empty.
  float* hidden = nullptr;           // Receives [tokens][hidden_dim]. Never null.
};

// What stands on top of the encoder.
enum class TextHead {
  kNone,
  kSequence,  // One answer for the text.
  kTokens,    // One for each token.
};

// A trained encoder of text, with or without a classifier on it. Immutable after loading: thread-safe, one
// Workspace per calling thread. Invariant: what an item yields does not depend, bit for bit, on what else is
// in the call nor on the size of the team. Both methods throw std::bad_alloc and dnnl::error only.
class TextEncoder {
 public:
  struct Info {
    std::string architecture;  // config.json's model_type.
    int32_t vocab_size = 0;
    int32_t num_types = 0;  // Token types; 0 where the model knows none.
    int32_t hidden_dim = 0;
    int32_t max_tokens = 0;
    TextHead head = TextHead::kNone;
    std::vector<std::string> labels;  // Of the head, by number.
    bool is_multi_label = false;      // Each label is true or false for itself (sigmoid, not softmax).
    int64_t weights_bytes = 0;        // Resident, packed.
    int64_t num_parameters = 0;
  };

  virtual ~TextEncoder() = default;
  virtual const Info& info() const = 0;

  // Encodes items together, packed end to end, their rows shared out among the team. Every id is below its
  // limit.
  virtual void Encode(absl::Span<const TextItem> items, const ThreadTeam& team) const = 0;

  // The head's logits for what Encode gave of a text of `tokens` tokens: [labels] or [tokens][labels]. Not
  // for kNone.
  virtual void Classify(const float* hidden, int32_t tokens, float* logits, Workspace& workspace) const = 0;
};

}  // namespace attendant
