#include "engine/models/vit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/models/attention_rollout.h"
#include "engine/models/vit_weights.h"

namespace attendant {
namespace {

class Vit final : public VisionEncoder {
 public:
  Vit(const VitConfig& config, InputSize image_size, VitParts parts, int64_t num_parameters)
      : patch_size_(static_cast<size_t>(config.patch_size)), parts_(std::move(parts)) {
    info_.architecture = config.model_type;
    info_.image_height = image_size.height;
    info_.image_width = image_size.width;
    info_.grid_height = image_size.height / config.patch_size;
    info_.grid_width = image_size.width / config.patch_size;
    info_.tokens = config.num_own_tokens() + info_.grid_height * info_.grid_width;
    info_.hidden_dim = config.hidden_dim;
    info_.labels = config.labels;
    info_.is_multi_label = config.is_multi_label;
    info_.has_pooler = parts_.pooler.has_value();
    info_.num_parameters = num_parameters;
    info_.weights_bytes = parts_.patches.size_bytes();
    for (const EncoderLayer& layer : parts_.layers) info_.weights_bytes += layer.size_bytes();
  }

  const Info& info() const override { return info_; }

  void Encode(absl::Span<const ImageItem> items, const ThreadTeam& team) const override {
    Workspace& workspace = team.workspace();
    const Workspace::Scope scope(workspace);
    const auto offsets = workspace.Alloc<int32_t>(items.size() + 1);
    for (size_t i = 0; i <= items.size(); ++i) offsets[i] = static_cast<int32_t>(i) * info_.tokens;
    const PackedSequences sequences(offsets);
    const auto hidden_dim = static_cast<size_t>(info_.hidden_dim);
    const auto x = workspace.Alloc<float>(sequences.rows() * hidden_dim);
    team.Run([&](const WorkPart& part, Workspace& own) {
      Embed(items, part.Of(items.size() * num_patches()), x.data(), own);
    });
    RunLayers(items, sequences, x.data(), team);
    parts_.final_norm.Run(x.data(), sequences.rows(), team);
    const size_t image_floats = static_cast<size_t>(info_.tokens) * hidden_dim;
    for (size_t i = 0; i < items.size(); ++i) {
      std::copy_n(x.data() + i * image_floats, image_floats, items[i].hidden);
    }
  }

  void Classify(const float* hidden, float* logits, Workspace& workspace) const override {
    const Workspace::Scope scope(workspace);
    const auto more = workspace.Alloc<float>(info_.labels.size());
    parts_.classifiers.front().Run(hidden, 1, logits, workspace);
    if (parts_.classifiers.size() == 1) return;
    parts_.classifiers[1].Run(hidden + info_.hidden_dim, 1, more.data(), workspace);
    for (size_t i = 0; i < more.size(); ++i) logits[i] = (logits[i] + more[i]) / 2;
  }

  void Pool(const float* hidden, float* pooled, Workspace& workspace) const override {
    if (parts_.pooler.has_value()) return parts_.pooler->Run(hidden, 1, pooled, workspace);
    std::copy_n(hidden, info_.hidden_dim, pooled);
  }

 private:
  size_t num_patches() const {
    return static_cast<size_t>(info_.grid_height) * static_cast<size_t>(info_.grid_width);
  }

  // What the first layer gets of patches wanted.begin to wanted.end, counted through all images; an image's
  // own tokens come with its first patch.
  void Embed(absl::Span<const ImageItem> items, RowRange wanted, float* x, Workspace& workspace) const {
    const size_t image_floats = static_cast<size_t>(info_.tokens) * static_cast<size_t>(info_.hidden_dim);
    for (size_t i = wanted.begin / num_patches(); i < items.size() && i * num_patches() < wanted.end; ++i) {
      const size_t first = i * num_patches();
      const RowRange patches{std::max(wanted.begin, first) - first,
                             std::min(wanted.end - first, num_patches())};
      EmbedPatches(items[i].pixels, patches, x + i * image_floats, workspace);
    }
  }

  void EmbedPatches(const float* pixels, RowRange patches, float* x, Workspace& workspace) const {
    const Workspace::Scope scope(workspace);
    const auto hidden_dim = static_cast<size_t>(info_.hidden_dim);
    const auto gathered =
        workspace.Alloc<float>(patches.size() * static_cast<size_t>(parts_.patches.in_dim()));
    GatherPatches(pixels, patches, gathered.data());
    const absl::Span<const float> own = parts_.own_tokens.f32();
    if (patches.begin == 0) std::copy(own.begin(), own.end(), x);
    float* rows = x + own.size() + patches.begin * hidden_dim;
    parts_.patches.Run(gathered.data(), patches.size(), rows, workspace);
    const float* positions = parts_.positions.f32().data() + patches.begin * hidden_dim;
    for (size_t i = 0; i < patches.size() * hidden_dim; ++i) rows[i] += positions[i];
  }

  // Each patch as one row: [3][patch_size][patch_size].
  void GatherPatches(const float* pixels, RowRange patches, float* rows) const {
    const auto width = static_cast<size_t>(info_.image_width);
    const size_t plane = static_cast<size_t>(info_.image_height) * width;
    for (size_t patch = patches.begin; patch < patches.end; ++patch) {
      const size_t py = patch / static_cast<size_t>(info_.grid_width);
      const size_t px = patch % static_cast<size_t>(info_.grid_width);
      for (size_t channel = 0; channel < 3; ++channel) {
        const float* corner = pixels + channel * plane + py * patch_size_ * width + px * patch_size_;
        for (size_t y = 0; y < patch_size_; ++y) rows = std::copy_n(corner + y * width, patch_size_, rows);
      }
    }
  }

  void RunLayers(absl::Span<const ImageItem> items, const PackedSequences& sequences, float* x,
                 const ThreadTeam& team) const {
    Workspace& workspace = team.workspace();
    const size_t map_floats = static_cast<size_t>(info_.tokens) * static_cast<size_t>(info_.tokens);
    const auto maps = workspace.Alloc<float*>(items.size());
    const auto rollouts = workspace.Alloc<AttentionRollout*>(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      maps[i] = nullptr;
      rollouts[i] = nullptr;
      if (items[i].attention == nullptr) continue;
      maps[i] = workspace.Alloc<float>(map_floats).data();
      rollouts[i] =
          new (workspace.Alloc<AttentionRollout>(1).data()) AttentionRollout(info_.tokens, workspace);
    }
    for (const EncoderLayer& layer : parts_.layers) {
      layer.Run(sequences, {{}, maps}, x, team);
      for (size_t i = 0; i < items.size(); ++i) {
        if (rollouts[i] != nullptr) rollouts[i]->Add(maps[i]);
      }
    }
    for (size_t i = 0; i < items.size(); ++i) {
      if (rollouts[i] != nullptr) WriteAttention(*rollouts[i], items[i].attention);
    }
  }

  // The patches' part of it, as shares of what fell on patches at all.
  void WriteAttention(const AttentionRollout& rollout, float* attention) const {
    const absl::Span<const float> all = rollout.OfFirstToken();
    const absl::Span<const float> of_patches = all.subspan(all.size() - num_patches());
    float total = 0;
    for (const float share : of_patches) total += share;
    for (size_t i = 0; i < of_patches.size(); ++i) attention[i] = of_patches[i] / total;
  }

  const size_t patch_size_;
  const VitParts parts_;
  Info info_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VisionEncoder>> BuildVit(const VitConfig& config, InputSize image_size,
                                                        WeightMap weights) {
  constexpr int32_t kMaxSide = 4096;
  const auto is_wrong = [&](int32_t side) {
    return side < config.patch_size || side > kMaxSide || side % config.patch_size != 0;
  };
  if (is_wrong(image_size.height) || is_wrong(image_size.width)) {
    return absl::FailedPreconditionError(
        absl::StrCat("preprocessor_config.json: images of ", image_size.height, " x ", image_size.width,
                     " are no whole number of patches of ", config.patch_size));
  }
  const Grid grid{image_size.height / config.patch_size, image_size.width / config.patch_size};
  if (grid.height * grid.width > VitConfig::kMaxPatches) {
    return absl::FailedPreconditionError(
        absl::StrCat("preprocessor_config.json: images of ", image_size.height, " x ", image_size.width,
                     " make more than ", VitConfig::kMaxPatches, " patches"));
  }
  ATTENDANT_RETURN_IF_ERROR(weights.CheckAllFinite());
  ATTENDANT_ASSIGN_OR_RETURN(VitParts parts, LoadVitParts(config, grid, weights));
  for (EncoderLayer& layer : parts.layers) layer.PrepareColumnSharing();
  ATTENDANT_ASSIGN_OR_RETURN(const int64_t num_parameters, CheckVitSurplus(config, weights));
  return std::make_unique<Vit>(config, image_size, std::move(parts), num_parameters);
}

}  // namespace attendant
