#include "engine/decoding/sequence.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

absl::Status CheckSource(absl::Span<const int32_t> tokens, const Seq2Seq::Info& model) {
  if (tokens.empty()) return absl::InvalidArgumentError("source: has no token");
  if (tokens.size() > static_cast<size_t>(model.max_source_tokens)) {
    return absl::InvalidArgumentError(
        absl::StrCat("source: ", tokens.size(), " tokens; the model takes ", model.max_source_tokens));
  }
  for (const int32_t token : tokens) {
    if (token < 0 || token >= model.source_vocab_size) {
      return absl::InvalidArgumentError(absl::StrCat("source: token ", token, " is outside the vocabulary"));
    }
  }
  return absl::OkStatus();
}

// Every row goes on as itself: greedy always, and beams that have settled.
bool IsIdentity(absl::Span<const int32_t> parents, size_t num_rows) {
  if (parents.size() != num_rows) return false;
  for (size_t r = 0; r < num_rows; ++r) {
    if (parents[r] != static_cast<int32_t>(r)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Sequence>> Sequence::Create(SequenceRequest request,
                                                           const Seq2Seq::Info& model) {
  ATTENDANT_RETURN_IF_ERROR(CheckSource(request.source_tokens, model));
  if (request.options.max_length > model.max_target_tokens) {
    return absl::InvalidArgumentError(absl::StrCat("max_length: ", request.options.max_length,
                                                   "; the model has ", model.max_target_tokens,
                                                   " positions"));
  }
  std::unique_ptr<Sequence> sequence(new Sequence(std::move(request), model.vocab_size));
  ATTENDANT_ASSIGN_OR_RETURN(sequence->search_, CreateSearch(sequence->request_.options, model.vocab_size));
  return sequence;
}

int32_t Sequence::blocks_for_next_step(const KvPool& pool) const {
  int32_t blocks = 0;
  for (const BlockTable& row : rows_) blocks += row.BlocksForAppend(pool);
  return blocks;
}

int32_t Sequence::start_blocks() const {
  return KvPool::BlocksFor(static_cast<int64_t>(request_.source_tokens.size())) + search_->num_rows();
}

int32_t Sequence::max_blocks() const {
  const int32_t rows = std::max(request_.options.beam_size, request_.options.num_hypotheses);
  return KvPool::BlocksFor(static_cast<int64_t>(request_.source_tokens.size())) +
         rows * KvPool::BlocksFor(request_.options.max_length);
}

int32_t Sequence::held_blocks() const {
  auto held = static_cast<int32_t>(cross_.blocks().size());
  for (size_t row = 0; row < rows_.size(); ++row) {
    const absl::Span<const BlockId> blocks = rows_[row].blocks();
    for (size_t i = 0; i < blocks.size(); ++i) {
      // A block has one place in a history: whoever shares it has it at the same index.
      const auto has_it = [&](const BlockTable& other) {
        return i < other.blocks().size() && other.blocks()[i] == blocks[i];
      };
      if (std::none_of(rows_.begin(), rows_.begin() + static_cast<ptrdiff_t>(row), has_it)) ++held;
    }
  }
  return held;
}

void Sequence::Restart() {
  if (!std::exchange(was_started_, true)) return;  // The search that Create made is still fresh.
  search_ = *CreateSearch(request_.options, vocab_size_);
  status_ = absl::OkStatus();
}

void Sequence::Advance(absl::Span<const RowAnswer> answers, KvPool& pool) {
  for (const RowAnswer& answer : answers) {
    if (std::isfinite(answer.log_sum_exp)) continue;
    status_ = absl::InternalError("the model's logits are not finite");
    return;
  }
  Reorder(search_->Advance(answers), pool);
}

void Sequence::Reorder(absl::Span<const int32_t> parents, KvPool& pool) {
  if (IsIdentity(parents, rows_.size())) return;
  next_rows_.reserve(parents.size());  // Before any block is shared: what throws later would leak it.
  for (const int32_t parent : parents) next_rows_.push_back(rows_[static_cast<size_t>(parent)].Fork(pool));
  for (BlockTable& row : rows_) row.Clear(pool);
  rows_.swap(next_rows_);
  next_rows_.clear();
}

void Sequence::ReleaseBlocks(KvPool& pool) {
  for (std::vector<BlockTable>* tables :
       {&rows_, &next_rows_}) {  // next_rows_ holds some only after a throw.
    for (BlockTable& row : *tables) row.Clear(pool);
    tables->clear();
  }
  cross_.Clear(pool);
}

}  // namespace attendant
