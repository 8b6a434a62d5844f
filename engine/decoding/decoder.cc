#include "engine/decoding/decoder.h"

namespace attendant {

void Decoder::Start(absl::Span<Sequence* const> sequences) {
  workspace_.Reset();
  items_.clear();
  for (Sequence* sequence : sequences) {
    sequence->ReleaseBlocks(pool_);
    sequence->Restart();
    sequence->rows_.resize(static_cast<size_t>(sequence->num_rows()));
    items_.push_back({sequence->request_.source_tokens, &sequence->cross_});
  }
  model_.Encode(items_, pool_, workspace_);
}

void Decoder::Step(absl::Span<Sequence* const> sequences) {
  workspace_.Reset();
  size_t num_rows = 0;
  for (const Sequence* sequence : sequences) num_rows += static_cast<size_t>(sequence->num_rows());
  if (num_rows == 0) return;
  queries_.assign(num_rows, RowQuery());
  answers_.assign(num_rows, RowAnswer());

  size_t first = 0;
  for (Sequence* sequence : sequences) {
    const size_t rows = static_cast<size_t>(sequence->num_rows());
    const auto queries = absl::MakeSpan(queries_).subspan(first, rows);
    if (rows > 0) sequence->search_->Ask(queries);
    for (size_t r = 0; r < rows; ++r) {
      queries[r].self = &sequence->rows_[r];
      queries[r].cross = &sequence->cross_;
    }
    first += rows;
  }
  model_.Step(queries_, absl::MakeSpan(answers_), pool_, workspace_);

  first = 0;
  for (Sequence* sequence : sequences) {
    const size_t rows = static_cast<size_t>(sequence->num_rows());
    if (rows == 0) continue;
    sequence->Advance(absl::MakeSpan(answers_).subspan(first, rows), pool_);
    first += rows;
  }
}

}  // namespace attendant
