#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "engine/kernels/vocab_scan.h"
#include "engine/layers/kv_cache.h"
#include "engine/models/text_encoder.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// What one row of a decode step feeds, and what its search wants to know of the next-token logits.
struct RowQuery {
  int32_t token = 0;  // Fed at `position`, the number of tokens fed before it.
  int32_t position = 0;
  BlockTable* self = nullptr;          // Its own history; the step appends to it. Never null in a step.
  const BlockTable* cross = nullptr;   // Its request's encoded source. Never null in a step.
  int32_t top_k = 1;                   // Best tokens wanted outside held_out: 0 to vocab_size.
  absl::Span<const int32_t> held_out;  // Ascending, unique: kept out of `top`, their logits reported apart.
  bool wants_all_logits = false;       // Report every logit (sampling).
  bool wants_attention = false;        // Report the alignment layer's cross-attention.
};

// What the step answers for one row. The spans live in the step's Workspace until its next Reset.
struct RowAnswer {
  float log_sum_exp = 0;       // Of all logits, held_out included. log p(t) = logit(t) - log_sum_exp.
  float log_sum_exp_rest = 0;  // Of the logits outside held_out; -inf where nothing is.
  absl::Span<const TokenScore>
      top;  // Descending logit, ties by ascending token; min(top_k, what is left) long.
  absl::Span<const float> held_out;    // Logits, parallel to RowQuery::held_out.
  absl::Span<const float> all_logits;  // vocab_size long, or empty.
  absl::Span<const float> attention;   // Source length long, summing to 1 (mean over heads), or empty.
};

// One source sequence to encode.
struct EncodeItem {
  absl::Span<const int32_t>
      tokens;  // With the end-of-sentence token, as the model was trained. 1 to max_source_tokens.
  BlockTable* cross = nullptr;  // Receives the cross-attention keys and values; empty before. Never null.
};

// A trained encoder-decoder. Immutable after loading: thread-safe, one Workspace and one KvPool per calling
// thread. Invariant: what a row or an item yields does not depend, bit for bit, on what else is in the call.
class Seq2Seq {
 public:
  struct Info {
    int32_t source_vocab_size = 0;  // Tokens that Encode takes.
    int32_t vocab_size = 0;         // Of the logits, and tokens that Step takes.
    int32_t max_source_tokens = 0;  // With the end-of-sentence token.
    int32_t max_target_tokens = 0;  // Decoder positions: tokens that can be fed.
    int32_t decoder_start_token = 0;
    int32_t hidden_dim = 0;  // Of the encoder's states.
    KvGeometry kv;
    int64_t weights_bytes = 0;  // Resident, packed.
    int64_t num_parameters = 0;
  };

  virtual ~Seq2Seq() = default;
  virtual const Info& info() const = 0;

  // Encodes items together, packed end to end, and fills their cross tables from pool.
  // The caller has made sure that pool has the blocks: sum of pool.BlocksFor(tokens.size()).
  // Throws std::bad_alloc and dnnl::error only; both mean that this call's items are lost.
  virtual void Encode(absl::Span<const EncodeItem> items, KvPool& pool, Workspace& workspace) const = 0;

  // The encoder alone, items packed end to end: what Encode makes the cross tables of. Items have no types.
  // The team shares the rows, and its size changes no bit. Throws as Encode does.
  virtual void EncodeStates(absl::Span<const TextItem> items, const ThreadTeam& team) const = 0;

  // Feeds one token per row; answers is parallel to rows. The caller has made sure that pool can give each
  // row the block that its append may need (one new block, or one copy of a shared half-filled one). Throws
  // as Encode does.
  virtual void Step(absl::Span<const RowQuery> rows, absl::Span<RowAnswer> answers, KvPool& pool,
                    Workspace& workspace) const = 0;
};

}  // namespace attendant
