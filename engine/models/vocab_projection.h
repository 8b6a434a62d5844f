#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "engine/models/seq2seq.h"
#include "engine/ops/linear.h"
#include "engine/tensor/tensor.h"

namespace attendant {

// From hidden states to what the searches ask of the logits, a tile of the vocabulary at a time: the logits
// of all rows never exist together. Immutable after construction: thread-safe.
class VocabProjection {
 public:
  // weights [vocab_size, hidden_dim], bias [vocab_size], f32; packed, not kept.
  VocabProjection(const Tensor& weights, const Tensor& bias);

  // hidden [queries.size(), hidden_dim]. Fills log_sum_exp, top, held_out and all_logits of answers, in
  // workspace memory.
  void Run(const float* hidden, absl::Span<const RowQuery> queries, absl::Span<RowAnswer> answers,
           Workspace& workspace) const;

  int64_t vocab_size() const { return vocab_size_; }
  int64_t size_bytes() const;

 private:
  int64_t vocab_size_;
  std::vector<Linear> tiles_;
};

}  // namespace attendant
