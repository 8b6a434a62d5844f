#include "engine/models/marian.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/base/status_macros.h"
#include "engine/layers/embedding.h"
#include "engine/layers/transformer_layers.h"
#include "engine/models/marian_weights.h"
#include "engine/models/vocab_projection.h"

namespace attendant {
namespace {

class Marian final : public Seq2Seq {
 public:
  Marian(const MarianConfig& config, MarianParts parts, int64_t num_parameters) : parts_(std::move(parts)) {
    info_.vocab_size = static_cast<int32_t>(parts_.projection.vocab_size());
    info_.source_vocab_size = config.vocab_size;
    info_.max_source_tokens = config.max_position_embeddings;
    info_.max_target_tokens = config.max_position_embeddings;
    info_.decoder_start_token = config.tokens.decoder_start;
    info_.hidden_dim = config.d_model;
    info_.kv = {config.decoder_layers, config.decoder_attention_heads,
                config.d_model / config.decoder_attention_heads};
    info_.num_parameters = num_parameters;
    info_.weights_bytes = parts_.source_embedding.size_bytes() + parts_.projection.size_bytes();
    if (parts_.target_embedding) info_.weights_bytes += parts_.target_embedding->size_bytes();
    for (const EncoderLayer& layer : parts_.encoder) info_.weights_bytes += layer.size_bytes();
    for (const DecoderLayer& layer : parts_.decoder) info_.weights_bytes += layer.size_bytes();
  }

  const Info& info() const override { return info_; }

  void Encode(absl::Span<const EncodeItem> items, KvPool& pool, Workspace& workspace) const override {
    const Workspace::Scope scope(workspace);
    const auto tables = workspace.Alloc<BlockTable*>(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      tables[i] = items[i].cross;
      tables[i]->Fill(pool, static_cast<int32_t>(items[i].tokens.size()));
    }
    const States states = RunEncoder(items, workspace);
    for (size_t l = 0; l < parts_.decoder.size(); ++l) {
      parts_.decoder[l].cross_attention().FillCache(states.sequences, states.x.data(), static_cast<int>(l),
                                                    tables, pool, workspace);
    }
  }

  void EncodeStates(absl::Span<const TextItem> items, const ThreadTeam& team) const override {
    const Workspace::Scope scope(team.workspace());
    const States states = RunEncoder(items, team);
    const auto hidden_dim = static_cast<size_t>(info_.hidden_dim);
    for (size_t i = 0; i < items.size(); ++i) {
      std::copy_n(states.x.data() + states.sequences.begin(i) * hidden_dim,
                  items[i].tokens.size() * hidden_dim, items[i].hidden);
    }
  }

  void Step(absl::Span<const RowQuery> rows, absl::Span<RowAnswer> answers, KvPool& pool,
            Workspace& workspace) const override {
    const Embedding& embedding = parts_.target_embedding ? *parts_.target_embedding : parts_.source_embedding;
    const size_t hidden_dim = static_cast<size_t>(embedding.hidden_dim());
    const auto x = workspace.Alloc<float>(rows.size() * hidden_dim);
    const auto cache_rows = workspace.Alloc<CacheRow>(rows.size());
    for (size_t r = 0; r < rows.size(); ++r) {
      embedding.Lookup(rows[r].token, rows[r].position, x.data() + r * hidden_dim);
      rows[r].self->Append(pool);
      cache_rows[r] = {rows[r].self, rows[r].cross, /*attention=*/nullptr};
    }
    for (size_t l = 0; l < parts_.decoder.size(); ++l) {
      if (l + 1 == parts_.decoder.size()) AskForAttention(rows, cache_rows, answers, workspace);
      parts_.decoder[l].RunStep({pool, static_cast<int>(l), cache_rows}, x.data(), workspace);
    }
    parts_.projection.Run(x.data(), rows, answers, workspace);
  }

 private:
  struct States {
    PackedSequences sequences;
    absl::Span<float> x;  // [all tokens][hidden_dim]
  };

  // What it returns is on the team's workspace, in the caller's scope.
  template <typename Item>
  States RunEncoder(absl::Span<const Item> items, const ThreadTeam& team) const {
    Workspace& workspace = team.workspace();
    const auto hidden_dim = static_cast<size_t>(info_.hidden_dim);
    const auto offsets = workspace.Alloc<int32_t>(items.size() + 1);
    offsets[0] = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      offsets[i + 1] = offsets[i] + static_cast<int32_t>(items[i].tokens.size());
    }
    const PackedSequences sequences(offsets);
    const auto x = workspace.Alloc<float>(sequences.rows() * hidden_dim);
    float* row = x.data();
    for (const Item& item : items) {
      for (size_t t = 0; t < item.tokens.size(); ++t, row += hidden_dim) {
        parts_.source_embedding.Lookup(item.tokens[t], static_cast<int32_t>(t), row);
      }
    }
    for (const EncoderLayer& layer : parts_.encoder) layer.Run(sequences, {}, x.data(), team);
    return {sequences, x};
  }

  // Alignments are the last layer's cross-attention, mean over heads.
  static void AskForAttention(absl::Span<const RowQuery> rows, absl::Span<CacheRow> cache_rows,
                              absl::Span<RowAnswer> answers, Workspace& workspace) {
    for (size_t r = 0; r < rows.size(); ++r) {
      answers[r].attention = {};
      if (!rows[r].wants_attention) continue;
      const auto attention = workspace.Alloc<float>(static_cast<size_t>(rows[r].cross->length()));
      cache_rows[r].attention = attention.data();
      answers[r].attention = attention;
    }
  }

  MarianParts parts_;
  Info info_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Seq2Seq>> BuildMarian(const MarianConfig& config, WeightMap weights) {
  ATTENDANT_RETURN_IF_ERROR(weights.CheckAllFinite());
  ATTENDANT_ASSIGN_OR_RETURN(MarianParts parts, LoadMarianParts(config, weights));
  ATTENDANT_ASSIGN_OR_RETURN(const int64_t num_parameters, CheckMarianSurplus(config, weights));
  return std::make_unique<Marian>(config, std::move(parts), num_parameters);
}

}  // namespace attendant
