#include "tests/bench/encoder_subject.h"

#include <algorithm>
#include <utility>

#include "engine/base/status_macros.h"
#include "engine/models/bert_config.h"
#include "engine/models/config_fields.h"
#include "engine/models/registry.h"
#include "engine/models/vit_config.h"
#include "engine/tasks/text_job.h"

namespace attendant {
namespace {

constexpr int64_t kNumTexts = 64;
constexpr int64_t kNumImages = 8;

// encoder_peer.py draws the same.
class Draw {
 public:
  explicit Draw(uint32_t seed) : state_(seed) {}
  uint32_t Next() {
    state_ = state_ * 1664525 + 1013904223;
    return state_ >> 16;
  }

 private:
  uint32_t state_;
};

struct LayerSizes {
  double layers, dim, ffn_dim;
};

double LayerOperations(const LayerSizes& sizes, double tokens) {
  const double dense = 4 * sizes.dim * sizes.dim + 2 * sizes.dim * sizes.ffn_dim;
  const double attention = 2 * tokens * sizes.dim;
  return 2 * tokens * sizes.layers * (dense + attention);
}

// A job as the product's, but of pixels that it does not own.
class ImageBenchJob final : public EncodeJob {
 public:
  ImageBenchJob(absl::Span<const float> pixels, int32_t tokens, Take take, Done done)
      : EncodeJob(tokens, /*priority=*/0, kInfiniteFuture, std::move(take), std::move(done)),
        pixels_(pixels) {}
  absl::Span<const float> pixels() const { return pixels_; }

 private:
  const absl::Span<const float> pixels_;
};

class ImageBenchExecutor final : public EncodeExecutor {
 public:
  ImageBenchExecutor(const VisionEncoder& encoder, const Place& place)
      : EncodeExecutor(place), encoder_(encoder) {}

 private:
  void Encode(absl::Span<EncodeJob* const> jobs, const ThreadTeam& team) override {
    Workspace& workspace = team.workspace();
    const VisionEncoder::Info& info = encoder_.info();
    const size_t floats = static_cast<size_t>(info.tokens) * static_cast<size_t>(info.hidden_dim);
    items_.clear();
    for (EncodeJob* job : jobs) {
      items_.push_back({static_cast<ImageBenchJob*>(job)->pixels().data(),
                        workspace.Alloc<float>(floats).data(), /*attention=*/nullptr});
    }
    encoder_.Encode(items_, team);
    for (size_t i = 0; i < jobs.size(); ++i) jobs[i]->TakeHidden(items_[i].hidden, workspace);
  }

  const VisionEncoder& encoder_;
  std::vector<ImageItem> items_;
};

class TextSubject final : public EncoderSubject {
 public:
  TextSubject(std::unique_ptr<TextEncoder> encoder, const BertConfig& config)
      : encoder_(std::move(encoder)),
        sizes_{static_cast<double>(config.num_layers), static_cast<double>(config.hidden_dim),
               static_cast<double>(config.ffn_dim)} {
    const auto drawn_ids = static_cast<uint32_t>(config.vocab_size - 3);  // The first few may be special.
    for (int64_t i = 0; i < kNumTexts; ++i) {
      Draw draw(static_cast<uint32_t>(i));
      std::vector<int32_t>& ids = texts_.emplace_back(static_cast<size_t>(encoder_->info().max_tokens));
      for (int32_t& id : ids) id = static_cast<int32_t>(3 + draw.Next() % drawn_ids);
    }
  }

  std::unique_ptr<EncodeExecutor> MakeExecutor(const EncodeExecutor::Place& place) const override {
    return std::make_unique<TextExecutor>(*encoder_, place);
  }
  std::shared_ptr<EncodeJob> MakeJob(int64_t index, int32_t tokens, float* output,
                                     EncodeJob::Done done) const override {
    const auto& text = texts_[static_cast<size_t>(index % kNumTexts)];
    Encoding encoding;
    encoding.ids.assign(text.begin(), text.begin() + tokens);
    encoding.type_ids.assign(encoding.ids.size(), 0);
    return std::make_shared<TextJob>(
        std::move(encoding), /*priority=*/0, kInfiniteFuture,
        [output, floats = OutputFloats(tokens)](const float* hidden, Workspace&) {
          std::copy_n(hidden, floats, output);
        },
        std::move(done));
  }
  size_t OutputFloats(int32_t tokens) const override {
    return static_cast<size_t>(tokens) * static_cast<size_t>(encoder_->info().hidden_dim);
  }
  double Operations(int32_t tokens) const override { return LayerOperations(sizes_, tokens); }
  std::vector<int32_t> Lengths() const override {
    std::vector<int32_t> lengths;
    for (const int32_t length : {16, 128, 512}) {
      if (length <= encoder_->info().max_tokens) lengths.push_back(length);
    }
    return lengths;
  }
  std::vector<int> Concurrencies() const override { return {1, 64}; }

 private:
  const std::unique_ptr<TextEncoder> encoder_;
  const LayerSizes sizes_;
  std::vector<std::vector<int32_t>> texts_;
};

class ImageSubject final : public EncoderSubject {
 public:
  ImageSubject(std::unique_ptr<VisionEncoder> encoder, const VitConfig& config)
      : encoder_(std::move(encoder)),
        sizes_{static_cast<double>(config.num_layers), static_cast<double>(config.hidden_dim),
               static_cast<double>(config.ffn_dim)} {
    const VisionEncoder::Info& info = encoder_->info();
    for (int64_t i = 0; i < kNumImages; ++i) {
      Draw draw(static_cast<uint32_t>(i));
      std::vector<float>& pixels =
          images_.emplace_back(size_t{3} * static_cast<size_t>(info.image_height * info.image_width));
      for (float& pixel : pixels) {
        pixel = static_cast<float>(static_cast<int32_t>(draw.Next()) - 32768) / 32768.0f;
      }
    }
  }

  std::unique_ptr<EncodeExecutor> MakeExecutor(const EncodeExecutor::Place& place) const override {
    return std::make_unique<ImageBenchExecutor>(*encoder_, place);
  }
  std::shared_ptr<EncodeJob> MakeJob(int64_t index, int32_t, float* output,
                                     EncodeJob::Done done) const override {
    return std::make_shared<ImageBenchJob>(
        images_[static_cast<size_t>(index % kNumImages)], encoder_->info().tokens,
        [this, output](const float* hidden, Workspace& workspace) {
          if (encoder_->info().labels.empty()) {
            encoder_->Pool(hidden, output, workspace);
          } else {
            encoder_->Classify(hidden, output, workspace);
          }
        },
        std::move(done));
  }
  size_t OutputFloats(int32_t) const override {
    const VisionEncoder::Info& info = encoder_->info();
    return info.labels.empty() ? static_cast<size_t>(info.hidden_dim) : info.labels.size();
  }
  double Operations(int32_t) const override {
    const VisionEncoder::Info& info = encoder_->info();
    const double patches = info.grid_height * info.grid_width;
    const double patch_floats = 3.0 * info.image_height * info.image_width / patches;
    return LayerOperations(sizes_, info.tokens) + 2 * patches * patch_floats * info.hidden_dim +
           2.0 * info.hidden_dim * static_cast<double>(OutputFloats(0));
  }
  std::vector<int32_t> Lengths() const override { return {0}; }
  std::vector<int> Concurrencies() const override { return {1, 8}; }

 private:
  const std::unique_ptr<VisionEncoder> encoder_;
  const LayerSizes sizes_;
  std::vector<std::vector<float>> images_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EncoderSubject>> LoadEncoderSubject(const std::filesystem::path& dir) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string model_type, ReadModelType(dir));
  ATTENDANT_ASSIGN_OR_RETURN(const nlohmann::json document, ReadConfig(dir.string()));
  if (!IsVit(model_type)) {
    ATTENDANT_ASSIGN_OR_RETURN(std::unique_ptr<TextEncoder> encoder, LoadTextEncoder(dir));
    ATTENDANT_ASSIGN_OR_RETURN(const BertConfig config, ParseBertConfig(document, "config.json"));
    return std::make_unique<TextSubject>(std::move(encoder), config);
  }
  ATTENDANT_ASSIGN_OR_RETURN(const VitConfig config, ParseVitConfig(document, "config.json"));
  ATTENDANT_ASSIGN_OR_RETURN(std::unique_ptr<VisionEncoder> encoder,
                             LoadVisionEncoder(dir, {config.image_size, config.image_size}));
  return std::make_unique<ImageSubject>(std::move(encoder), config);
}

}  // namespace attendant
