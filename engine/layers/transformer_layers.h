#pragma once

#include <cstddef>
#include <utility>

#include "engine/layers/attention.h"
#include "engine/layers/feed_forward.h"
#include "engine/layers/normalization.h"

namespace attendant {

// The layers of a post-norm transformer: each sublayer adds to x, then x is normalised.
// Immutable after construction: thread-safe. Source: Vaswani et al. 2017, figure 1.
class EncoderLayer {
 public:
  EncoderLayer(SelfAttention attention, Normalization attention_norm, FeedForward feed_forward,
               Normalization final_norm)
      : attention_(std::move(attention)),
        attention_norm_(std::move(attention_norm)),
        feed_forward_(std::move(feed_forward)),
        final_norm_(std::move(final_norm)) {}

  // x [rows, hidden_dim], in place.
  void Run(const PackedSequences& sequences, float* x, Workspace& workspace) const {
    attention_.RunPacked(sequences, x, workspace);
    attention_norm_.Run(x, sequences.rows());
    feed_forward_.Run(x, sequences.rows(), workspace);
    final_norm_.Run(x, sequences.rows());
  }

  int64_t size_bytes() const { return attention_.size_bytes() + feed_forward_.size_bytes(); }

 private:
  SelfAttention attention_;
  Normalization attention_norm_;
  FeedForward feed_forward_;
  Normalization final_norm_;
};

class DecoderLayer {
 public:
  struct Parts {
    SelfAttention self_attention;
    Normalization self_norm;
    CrossAttention cross_attention;
    Normalization cross_norm;
    FeedForward feed_forward;
    Normalization final_norm;
  };
  explicit DecoderLayer(Parts parts) : parts_(std::move(parts)) {}

  // One token per row: x [rows, hidden_dim], in place.
  void RunStep(const LayerCache& cache, float* x, Workspace& workspace) const {
    const size_t rows = cache.rows.size();
    parts_.self_attention.RunStep(cache, x, workspace);
    parts_.self_norm.Run(x, rows);
    parts_.cross_attention.RunStep(cache, x, workspace);
    parts_.cross_norm.Run(x, rows);
    parts_.feed_forward.Run(x, rows, workspace);
    parts_.final_norm.Run(x, rows);
  }
  const CrossAttention& cross_attention() const { return parts_.cross_attention; }

  int64_t size_bytes() const {
    return parts_.self_attention.size_bytes() + parts_.cross_attention.size_bytes() +
           parts_.feed_forward.size_bytes();
  }

 private:
  Parts parts_;
};

}  // namespace attendant
