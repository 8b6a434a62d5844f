#include "engine/models/bert.h"

#include <utility>

#include "engine/base/status_macros.h"
#include "engine/models/bert_weights.h"

namespace attendant {
namespace {

class Bert final : public TextEncoder {
 public:
  Bert(const BertConfig& config, BertParts parts, int64_t num_parameters)
      : first_position_(config.first_position), parts_(std::move(parts)) {
    info_.architecture = config.model_type;
    info_.vocab_size = config.vocab_size;
    info_.num_types = config.num_types;
    info_.hidden_dim = config.hidden_dim;
    info_.max_tokens = config.max_tokens();
    info_.head = config.head;
    info_.labels = config.labels;
    info_.is_multi_label = config.is_multi_label;
    info_.num_parameters = num_parameters;
    info_.weights_bytes = parts_.embedding.size_bytes();
    for (const EncoderLayer& layer : parts_.layers) info_.weights_bytes += layer.size_bytes();
  }

  const Info& info() const override { return info_; }

  void Encode(absl::Span<const TextItem> items, const ThreadTeam& team) const override {
    Workspace& workspace = team.workspace();
    const Workspace::Scope scope(workspace);
    const auto offsets = workspace.Alloc<int32_t>(items.size() + 1);
    offsets[0] = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      offsets[i + 1] = offsets[i] + static_cast<int32_t>(items[i].tokens.size());
    }
    const PackedSequences sequences(offsets);
    const auto x = workspace.Alloc<float>(sequences.rows() * static_cast<size_t>(info_.hidden_dim));
    team.Run([&](const WorkPart& part, Workspace&) { Embed(items, part.Of(items.size()), sequences, x); });
    const PackedAttentionExtras extras{parts_.distance_bias, {}};
    for (const EncoderLayer& layer : parts_.layers) layer.Run(sequences, extras, x.data(), team);
    for (size_t i = 0; i < items.size(); ++i) {
      const absl::Span<float> rows = RowsOf(sequences, i, x);
      std::copy(rows.begin(), rows.end(), items[i].hidden);
    }
  }

  void Classify(const float* hidden, int32_t tokens, float* logits, Workspace& workspace) const override {
    const Workspace::Scope scope(workspace);
    const BertHead& head = *parts_.head;
    const size_t rows = info_.head == TextHead::kTokens ? static_cast<size_t>(tokens) : 1;
    if (head.dense.has_value()) {
      const auto dense = workspace.Alloc<float>(rows * static_cast<size_t>(info_.hidden_dim));
      head.dense->Run(hidden, rows, dense.data(), workspace);
      hidden = dense.data();
    }
    head.projection.Run(hidden, rows, logits, workspace);
  }

 private:
  absl::Span<float> RowsOf(const PackedSequences& sequences, size_t item, absl::Span<float> x) const {
    const auto hidden_dim = static_cast<size_t>(info_.hidden_dim);
    return x.subspan(sequences.begin(item) * hidden_dim,
                     static_cast<size_t>(sequences.length(item)) * hidden_dim);
  }

  // What the first layer gets of items wanted.begin to wanted.end.
  void Embed(absl::Span<const TextItem> items, RowRange wanted, const PackedSequences& sequences,
             absl::Span<float> x) const {
    for (size_t i = wanted.begin; i < wanted.end; ++i) {
      const absl::Span<float> rows = RowsOf(sequences, i, x);
      EmbedTokens(items[i], rows.data());
      parts_.embedding_norm.Run(rows.data(), items[i].tokens.size());
    }
  }

  void EmbedTokens(const TextItem& item, float* row) const {
    const auto hidden_dim = static_cast<size_t>(info_.hidden_dim);
    for (size_t t = 0; t < item.tokens.size(); ++t, row += hidden_dim) {
      parts_.embedding.Lookup(item.tokens[t], first_position_ + static_cast<int32_t>(t), row);
      if (!parts_.types.has_value()) continue;
      const size_t type = item.types.empty() ? 0 : static_cast<size_t>(item.types[t]);
      const float* of_type = parts_.types->f32().data() + type * hidden_dim;
      for (size_t d = 0; d < hidden_dim; ++d) row[d] += of_type[d];
    }
  }

  const int32_t first_position_;
  const BertParts parts_;
  Info info_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TextEncoder>> BuildBert(const BertConfig& config, WeightMap weights) {
  ATTENDANT_RETURN_IF_ERROR(weights.CheckAllFinite());
  ATTENDANT_ASSIGN_OR_RETURN(BertParts parts, LoadBertParts(config, weights));
  for (EncoderLayer& layer : parts.layers) layer.PrepareColumnSharing();
  ATTENDANT_ASSIGN_OR_RETURN(const int64_t num_parameters, CheckBertSurplus(config, weights));
  return std::make_unique<Bert>(config, std::move(parts), num_parameters);
}

}  // namespace attendant
