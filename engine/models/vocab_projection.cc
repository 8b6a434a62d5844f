#include "engine/models/vocab_projection.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace attendant {
namespace {

constexpr int64_t kTileTokens = 2048;

// One row's answer while the tiles go by.
struct RowScan {
  RunningLogSumExp log_sum_exp_rest;
  RunningTopK top;
  absl::Span<float> held_out;
  absl::Span<float> all_logits;
  size_t next_held_out = 0;
};

RowScan BeginScan(const RowQuery& query, size_t vocab_size, Workspace& workspace) {
  const size_t others = vocab_size - query.held_out.size();
  const size_t top_k = std::min(static_cast<size_t>(query.top_k), others);
  return {RunningLogSumExp(), RunningTopK(workspace.Alloc<TokenScore>(top_k)),
          workspace.Alloc<float>(query.held_out.size()),
          query.wants_all_logits ? workspace.Alloc<float>(vocab_size) : absl::Span<float>()};
}

void ScanTile(const RowQuery& query, int64_t first_token, absl::Span<float> tile, RowScan& scan) {
  if (!scan.all_logits.empty()) {
    std::memcpy(scan.all_logits.data() + first_token, tile.data(), tile.size() * sizeof(float));
  }
  const int64_t end_token = first_token + static_cast<int64_t>(tile.size());
  for (; scan.next_held_out < query.held_out.size() && query.held_out[scan.next_held_out] < end_token;
       ++scan.next_held_out) {
    float& logit = tile[static_cast<size_t>(query.held_out[scan.next_held_out] - first_token)];
    scan.held_out[scan.next_held_out] = logit;
    logit = kNoLogit;
  }
  scan.log_sum_exp_rest.Add(tile);
  scan.top.Add(tile, static_cast<int32_t>(first_token));
}

void EndScan(RowScan& scan, RowAnswer& answer) {
  answer.log_sum_exp_rest = scan.log_sum_exp_rest.Value();
  scan.log_sum_exp_rest.Add(scan.held_out);
  answer.log_sum_exp = scan.log_sum_exp_rest.Value();
  answer.top = scan.top.best();
  answer.held_out = scan.held_out;
  answer.all_logits = scan.all_logits;
}

}  // namespace

VocabProjection::VocabProjection(const Tensor& weights, const Tensor& bias)
    : vocab_size_(weights.shape()[0]) {
  const int64_t hidden_dim = weights.shape()[1];
  for (int64_t first = 0; first < vocab_size_; first += kTileTokens) {
    tiles_.emplace_back(LinearWeights{weights.f32().data() + first * hidden_dim, bias.f32().data() + first,
                                      hidden_dim, std::min(kTileTokens, vocab_size_ - first)},
                        Activation::kNone, LinearOutput::kStore);
  }
}

void VocabProjection::Run(const float* hidden, absl::Span<const RowQuery> queries,
                          absl::Span<RowAnswer> answers, Workspace& workspace) const {
  const auto scans = workspace.Alloc<RowScan>(queries.size());
  for (size_t r = 0; r < queries.size(); ++r) {
    new (&scans[r]) RowScan(BeginScan(queries[r], static_cast<size_t>(vocab_size_), workspace));
  }
  {
    const Workspace::Scope scope(workspace);
    const auto logits =
        workspace.Alloc<float>(queries.size() * static_cast<size_t>(tiles_.front().out_dim()));
    int64_t first_token = 0;
    for (const Linear& tile : tiles_) {
      const size_t width = static_cast<size_t>(tile.out_dim());
      tile.Run(hidden, queries.size(), logits.data(), workspace);
      for (size_t r = 0; r < queries.size(); ++r) {
        ScanTile(queries[r], first_token, logits.subspan(r * width, width), scans[r]);
      }
      first_token += tile.out_dim();
    }
  }
  for (size_t r = 0; r < queries.size(); ++r) EndScan(scans[r], answers[r]);
}

int64_t VocabProjection::size_bytes() const {
  int64_t bytes = 0;
  for (const Linear& tile : tiles_) bytes += tile.size_bytes();
  return bytes;
}

}  // namespace attendant
