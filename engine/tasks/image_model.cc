#include "engine/tasks/image_model.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "engine/image/preprocess.h"
#include "engine/models/registry.h"
#include "engine/tasks/class_scores.h"
#include "engine/tasks/worker_threads.h"

namespace attendant {
namespace {

constexpr uint64_t kMaxPreprocessorBytes = 1 << 20;

class ImageJob final : public EncodeJob {
 public:
  ImageJob(PixelTensor pixels, int32_t tokens, const ImageRequest& request, Take take, Done done)
      : EncodeJob(tokens, request.priority, request.deadline, std::move(take), std::move(done)),
        pixels_(std::move(pixels)) {}
  const PixelTensor& pixels() const { return pixels_; }
  // Where the encoder reports its attention; null: not wanted.
  float* attention = nullptr;

 private:
  const PixelTensor pixels_;
};

class ImageExecutor final : public EncodeExecutor {
 public:
  ImageExecutor(const VisionEncoder& encoder, const Place& place)
      : EncodeExecutor(place), encoder_(encoder) {}

 private:
  void Encode(absl::Span<EncodeJob* const> jobs, const ThreadTeam& team) override {
    Workspace& workspace = team.workspace();
    const VisionEncoder::Info& info = encoder_.info();
    const size_t floats = static_cast<size_t>(info.tokens) * static_cast<size_t>(info.hidden_dim);
    items_.clear();
    for (EncodeJob* job : jobs) {
      const auto* image = static_cast<ImageJob*>(job);
      items_.push_back(
          {image->pixels().values.data(), workspace.Alloc<float>(floats).data(), image->attention});
    }
    encoder_.Encode(items_, team);
    for (size_t i = 0; i < jobs.size(); ++i) jobs[i]->TakeHidden(items_[i].hidden, workspace);
  }

  const VisionEncoder& encoder_;
  std::vector<ImageItem> items_;
};

// Which part of an image the processor keeps.
void FindVisiblePart(const PreprocessorConfig& config, ImageSize size, AttentionMap& map) {
  if (!config.do_center_crop) return;
  double width = size.width, height = size.height;
  if (config.do_resize) {
    const double shorter = std::min(width, height);
    const double scale = config.shortest_edge.has_value() ? *config.shortest_edge / shorter : 0;
    width = scale > 0 ? width * scale : config.size.width;
    height = scale > 0 ? height * scale : config.size.height;
  }
  const auto share = [](double crop, double whole) { return std::min(1.0, crop / whole); };
  const double kept_width = share(config.crop_size.width, width);
  const double kept_height = share(config.crop_size.height, height);
  map.left = static_cast<float>((1 - kept_width) / 2);
  map.right = static_cast<float>((1 + kept_width) / 2);
  map.top = static_cast<float>((1 - kept_height) / 2);
  map.bottom = static_cast<float>((1 + kept_height) / 2);
}

// Prepared images wait as tensors: so many that they fit a budget.
EncodePipelineOptions WithBoundedQueue(EncodePipelineOptions options, ImageSize size) {
  constexpr int64_t kMaxWaitingBytes = int64_t{1} << 30;
  const int64_t tensor_bytes = int64_t{3} * size.width * size.height * static_cast<int64_t>(sizeof(float));
  const int64_t fitting = std::max<int64_t>(1, kMaxWaitingBytes / tensor_bytes);
  options.scheduler.max_queue = static_cast<int32_t>(std::min<int64_t>(options.scheduler.max_queue, fitting));
  return options;
}

class ImageModelImpl final : public ImageModel {
 public:
  struct Parts {
    std::unique_ptr<VisionEncoder> encoder;
    PreprocessorConfig preprocessor;
    ImageLimits limits;
    Info info;
  };
  ImageModelImpl(Parts parts, const EncodePipelineOptions& options, SchedulerObserver& observer,
                 const Clock& clock)
      : parts_(std::move(parts)),
        observer_(observer),
        pipeline_(
            options,
            [this](const EncodeExecutor::Place& place) {
              return std::make_unique<ImageExecutor>(*parts_.encoder, place);
            },
            observer, clock) {}

  const Info& info() const override { return parts_.info; }
  bool Drain(Duration timeout) override { return pipeline_.Drain(timeout); }
  const Scheduler& scheduler() const override { return pipeline_.scheduler(); }

  CancelHandle Classify(ClassifyImageRequest request, Done<ImageClasses> done) override {
    const VisionEncoder::Info& encoder = parts_.info.encoder;
    if (encoder.labels.empty()) {
      std::move(done)(absl::FailedPreconditionError("the model does not classify images"));
      return {};
    }
    constexpr int32_t kMaxMapTokens = 1100;  // The work is their cube.
    if (request.return_attention && encoder.tokens > kMaxMapTokens) {
      std::move(done)(absl::FailedPreconditionError(absl::StrCat("the model's images are ", encoder.tokens,
                                                                 " tokens; an attention map takes at most ",
                                                                 kMaxMapTokens)));
      return {};
    }
    const auto open = std::make_shared<Open<ImageClasses>>();
    if (request.return_attention) {
      open->answer.attention.height = encoder.grid_height;
      open->answer.attention.width = encoder.grid_width;
      open->answer.attention.weights.resize(static_cast<size_t>(encoder.grid_height * encoder.grid_width));
      open->attention = open->answer.attention.weights.data();
    }
    open->compute = [this](const float* hidden, Workspace& workspace, ImageClasses& answer) {
      answer.logits.resize(parts_.info.encoder.labels.size());
      parts_.encoder->Classify(hidden, answer.logits.data(), workspace);
      answer.probabilities =
          parts_.info.encoder.is_multi_label ? Sigmoid(answer.logits) : Softmax(answer.logits);
      FindVisiblePart(parts_.preprocessor, {answer.width, answer.height}, answer.attention);
      return AllFinite(answer.logits);
    };
    return Run(std::move(request), std::move(done), open);
  }

  CancelHandle Embed(ImageRequest request, Done<ImageEmbedding> done) override {
    const auto open = std::make_shared<Open<ImageEmbedding>>();
    open->compute = [this](const float* hidden, Workspace& workspace, ImageEmbedding& answer) {
      answer.values.resize(static_cast<size_t>(parts_.info.encoder.hidden_dim));
      parts_.encoder->Pool(hidden, answer.values.data(), workspace);
      return AllFinite(answer.values);
    };
    return Run(std::move(request), std::move(done), open);
  }

 private:
  // What an answer is collected in, from the preparing thread over the worker's to the completion.
  template <typename Answer>
  struct Open {
    ImageRequest request;
    Done<Answer> done;
    // False: what came out is not finite.
    absl::AnyInvocable<bool(const float* hidden, Workspace& workspace, Answer& answer)> compute;
    Answer answer;
    float* attention = nullptr;  // Within answer, where it is wanted.
    bool is_finite = true;
  };

  template <typename Answer>
  CancelHandle Run(ImageRequest request, Done<Answer> done, const std::shared_ptr<Open<Answer>>& open) {
    open->request = std::move(request);
    open->done = std::move(done);
    EncodePipeline::Input input;
    input.bytes = static_cast<int64_t>(open->request.file_bytes.size());
    input.priority = open->request.priority;
    input.deadline = open->request.deadline;
    input.prepare = [this, open](EncodeJob::Done job_done) -> absl::StatusOr<std::shared_ptr<EncodeJob>> {
      ATTENDANT_ASSIGN_OR_RETURN(const Image image, DecodeImage(open->request.file_bytes, parts_.limits));
      open->request.file_bytes = {};
      open->answer.width = image.width;
      open->answer.height = image.height;
      ATTENDANT_ASSIGN_OR_RETURN(PixelTensor pixels, Preprocess(image, parts_.preprocessor));
      auto job = std::make_shared<ImageJob>(
          std::move(pixels), parts_.info.encoder.tokens, open->request,
          [open](const float* hidden, Workspace& workspace) {
            open->is_finite = open->compute(hidden, workspace, open->answer);
          },
          std::move(job_done));
      job->attention = open->attention;
      return job;
    };
    input.done = [this, open](absl::Status status, const EncodeTiming& timing) {
      if (status.ok() && !open->is_finite) {
        observer_.OnNotFinite();
        status = absl::InternalError("the model's answer is not finite");
      }
      open->answer.timing = timing;
      if (status.ok()) {
        std::move(open->done)(std::move(open->answer));
      } else {
        std::move(open->done)(std::move(status));
      }
    };
    return pipeline_.Run(std::move(input));
  }

  const Parts parts_;
  SchedulerObserver& observer_;
  EncodePipeline pipeline_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ImageModel>> ImageModel::Load(const std::filesystem::path& dir,
                                                             const EncodePipelineOptions& options,
                                                             const ImageLimits& limits,
                                                             SchedulerObserver& observer,
                                                             const Clock& clock) {
  const TimePoint begin = clock.Now();
  constexpr char kFile[] = "preprocessor_config.json";
  const std::string path = dir / kFile;
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text, ReadTextFileWithin(dir, kFile, kMaxPreprocessorBytes));
  ATTENDANT_ASSIGN_OR_RETURN(PreprocessorConfig preprocessor, ParsePreprocessorConfig(text, path));
  const std::optional<ImageSize> size = preprocessor.OutputSize();
  if (!size.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": images would come out in sizes of their own; set a size or a crop"));
  }
  ATTENDANT_ASSIGN_OR_RETURN(std::unique_ptr<VisionEncoder> encoder,
                             LoadVisionEncoder(dir, {size->height, size->width}));
  ImageModelImpl::Parts parts;
  parts.preprocessor = preprocessor;
  parts.limits = limits;
  parts.info.encoder = encoder->info();
  parts.info.num_workers = NumWorkers(options.num_workers);
  parts.encoder = std::move(encoder);
  parts.info.load_time = clock.Now() - begin;
  return std::make_unique<ImageModelImpl>(std::move(parts), WithBoundedQueue(options, *size), observer,
                                          clock);
}

}  // namespace attendant
