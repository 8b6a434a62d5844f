#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/decoding/options.h"
#include "engine/decoding/search.h"
#include "engine/layers/kv_cache.h"
#include "engine/models/seq2seq.h"

namespace attendant {

// What one sequence asks of a decoder.
struct SequenceRequest {
  std::vector<int32_t> source_tokens;  // With the end-of-sentence token.
  DecodingOptions options;
};

// One sequence on its way through a Decoder: its source, its search, and what it holds of the KV cache.
// Between Start and Release it belongs to one Decoder, whose thread alone touches it. Afterwards it may be
// started again: from the beginning, with the same result.
class Sequence {
 public:
  // Errors: INVALID_ARGUMENT an option is out of range, the source is empty, longer than the model's
  // positions or has tokens outside the vocabulary.
  static absl::StatusOr<std::unique_ptr<Sequence>> Create(SequenceRequest request,
                                                          const Seq2Seq::Info& model);

  bool finished() const { return num_rows() == 0; }
  // Rows of the next step.
  int32_t num_rows() const { return status_.ok() ? search_->num_rows() : 0; }
  // INTERNAL when the model's answer to this sequence was not finite; it is finished then, without
  // hypotheses.
  const absl::Status& status() const { return status_; }
  // Blocks that the next step takes from the pool at most.
  int32_t blocks_for_next_step(const KvPool& pool) const;
  // Blocks that Start and the first step take; and the most that it can ever hold.
  int32_t start_blocks() const;
  int32_t max_blocks() const;
  // Blocks in its tables, such as rows share counted once: what Release gives back.
  int32_t held_blocks() const;

  absl::Span<const int32_t> certain_tokens() const { return search_->certain_tokens(); }
  // Call once, when finished.
  std::vector<Hypothesis> TakeHypotheses() { return search_->TakeHypotheses(); }

  const SequenceRequest& request() const { return request_; }

 private:
  friend class Decoder;
  Sequence(SequenceRequest request, int32_t vocab_size)
      : request_(std::move(request)), vocab_size_(vocab_size) {}

  // A fresh search. CreateSearch has accepted these options before.
  void Restart();
  // Takes the model's answers to the rows of this step.
  void Advance(absl::Span<const RowAnswer> answers, KvPool& pool);
  // Lets the tables of the next step's rows continue those of their parents.
  void Reorder(absl::Span<const int32_t> parents, KvPool& pool);
  void ReleaseBlocks(KvPool& pool);

  SequenceRequest request_;
  int32_t vocab_size_;
  std::unique_ptr<Search> search_;
  absl::Status status_;
  bool was_started_ = false;
  BlockTable cross_;
  std::vector<BlockTable> rows_;  // One for each row of the next step.
  std::vector<BlockTable> next_rows_;
};

}  // namespace attendant
