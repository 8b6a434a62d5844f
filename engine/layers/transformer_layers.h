#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/layers/attention.h"
#include "engine/layers/feed_forward.h"
#include "engine/layers/normalization.h"
#include "engine/tensor/thread_team.h"

namespace attendant {

enum class NormOrder {
  kPost,  // Each sublayer adds to x, then x is normalised. Vaswani et al. 2017, figure 1.
  kPre,   // Each sublayer works on x normalised and adds to x. Dosovitskiy et al. 2021, figure 1.
};

// A layer of an encoder. Immutable once it runs: thread-safe.
class EncoderLayer {
 public:
  struct Parts {
    SelfAttention attention;
    Normalization attention_norm;
    FeedForward feed_forward;
    Normalization final_norm;
  };
  EncoderLayer(NormOrder order, Parts parts) : order_(order), parts_(std::move(parts)) {}

  // For a model whose batches teams compute. Before the first Run.
  void PrepareColumnSharing() {
    parts_.attention.PrepareColumnSharing();
    parts_.feed_forward.PrepareColumnSharing();
    shares_columns_ = parts_.attention.shares_columns() && parts_.feed_forward.shares_columns();
  }

  // x [rows, hidden_dim], in place. A team shares the rows; a few rows, by the columns of each matmul where
  // it can.
  void Run(const PackedSequences& sequences, const PackedAttentionExtras& extras, float* x,
           const ThreadTeam& team) const {
    const Workspace::Scope scope(team.workspace());
    const Batch batch{sequences, extras, x, parts_.attention.AllocPacked(sequences, team.workspace())};
    if (shares_columns_ && team.size() > 1 && sequences.rows() < kFewRowsPerThread * team.size()) {
      Project(batch, {0, sequences.rows()}, team);
      Finish(batch, {0, sequences.rows()}, team);
      return;
    }
    team.Run([&](const WorkPart& part, Workspace& own) { Project(batch, part.Of(sequences.rows()), own); });
    team.Run([&](const WorkPart& part, Workspace& own) { Finish(batch, part.Of(sequences.rows()), own); });
  }

  int64_t size_bytes() const { return parts_.attention.size_bytes() + parts_.feed_forward.size_bytes(); }

 private:
  static constexpr size_t kFewRowsPerThread = 32;

  struct Batch {
    const PackedSequences& sequences;
    const PackedAttentionExtras& extras;
    float* x;
    PackedProjections projections;
  };

  float* RowsOf(const Batch& batch, RowRange rows) const {
    return batch.x + rows.begin * parts_.attention_norm.dim();
  }

  void Project(const Batch& batch, RowRange rows, const ThreadTeam& team) const {
    const Workspace::Scope scope(team.workspace());
    const float* input = RowsOf(batch, rows);
    if (order_ == NormOrder::kPre)
      input = Normalised(parts_.attention_norm, input, rows.size(), team.workspace());
    parts_.attention.ProjectPacked(batch.sequences, rows, input, batch.projections, team);
  }

  void Finish(const Batch& batch, RowRange rows, const ThreadTeam& team) const {
    const Workspace::Scope scope(team.workspace());
    float* x = RowsOf(batch, rows);
    parts_.attention.MixPacked(batch.sequences, rows, batch.extras, batch.projections, x, team);
    if (order_ == NormOrder::kPre) {
      parts_.feed_forward.Run(Normalised(parts_.final_norm, x, rows.size(), team.workspace()), rows.size(), x,
                              team);
    } else {
      parts_.attention_norm.Run(x, rows.size());
      parts_.feed_forward.Run(x, rows.size(), x, team);
      parts_.final_norm.Run(x, rows.size());
    }
  }

  static const float* Normalised(const Normalization& norm, const float* x, size_t rows,
                                 Workspace& workspace) {
    const auto normal = workspace.Alloc<float>(rows * norm.dim());
    std::copy_n(x, normal.size(), normal.data());
    norm.Run(normal.data(), rows);
    return normal.data();
  }

  NormOrder order_;
  Parts parts_;
  bool shares_columns_ = false;
};

// A layer of a post-norm decoder. Immutable after construction: thread-safe.
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
    parts_.feed_forward.Run(x, rows, x, workspace);
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
