#pragma once

#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "engine/decoding/sequence.h"
#include "engine/layers/kv_cache.h"
#include "engine/models/seq2seq.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// Takes sequences through a model, many at a time, one decode step after the other; sequences may join and
// leave between any two steps. Owns the KV pool and the workspace of one worker. Invariants:
// 1. What a sequence yields does not depend, bit for bit, on the others.
// 2. After Release a sequence holds no block here.
// Not thread-safe: one Decoder per worker. Start and Step throw std::bad_alloc and
// dnnl::error only; even then the sequences that were passed can be Released.
class Decoder {
 public:
  // model outlives the decoder.
  Decoder(const Seq2Seq& model, KvPool pool) : model_(model), pool_(std::move(pool)) {}

  // Encodes the sources and makes the searches begin (again). The pool has room: the sum of their
  // start_blocks().
  void Start(absl::Span<Sequence* const> sequences);
  // One more token for each row of each unfinished sequence. The pool has room: the sum of
  // blocks_for_next_step().
  void Step(absl::Span<Sequence* const> sequences);
  void Release(Sequence& sequence) { sequence.ReleaseBlocks(pool_); }

  const KvPool& pool() const { return pool_; }
  const Workspace& workspace() const { return workspace_; }

 private:
  const Seq2Seq& model_;
  KvPool pool_;
  Workspace workspace_;
  std::vector<EncodeItem> items_;
  std::vector<RowQuery> queries_;
  std::vector<RowAnswer> answers_;
};

}  // namespace attendant
