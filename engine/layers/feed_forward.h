#pragma once

#include <cstddef>
#include <utility>

#include "engine/ops/linear.h"
#include "engine/tensor/thread_team.h"

namespace attendant {

// Two linear layers with the activation between them and the residual connection around them.
// Immutable after construction: thread-safe.
// Source: Vaswani et al. 2017, section 3.3.
class FeedForward {
 public:
  // up: hidden_dim -> ffn_dim with the activation; down: ffn_dim -> hidden_dim, LinearOutput::kAdd.
  FeedForward(Linear up, Linear down) : up_(std::move(up)), down_(std::move(down)) {}

  // x [rows, hidden_dim] += down(up(input)). input may be x.
  void Run(const float* input, size_t rows, float* x, const ThreadTeam& team) const {
    const Workspace::Scope scope(team.workspace());
    const auto wide = team.workspace().Alloc<float>(rows * static_cast<size_t>(up_.out_dim()));
    up_.Run(input, rows, wide.data(), team);
    down_.Run(wide.data(), rows, x, team);
  }

  // As Linear has them.
  void PrepareColumnSharing() {
    up_.PrepareColumnSharing();
    down_.PrepareColumnSharing();
  }
  bool shares_columns() const { return up_.shares_columns() && down_.shares_columns(); }

  int64_t size_bytes() const { return up_.size_bytes() + down_.size_bytes(); }

 private:
  Linear up_;
  Linear down_;
};

}  // namespace attendant
