#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/tasks/image_model.h"

namespace attendant {

// An image model that has labels and nothing else: every request is let go unanswered.
class ScriptedImageModel final : public ImageModel {
 public:
  explicit ScriptedImageModel(std::vector<std::string> labels) {
    info_.encoder.labels = std::move(labels);
    info_.encoder.hidden_dim = 4;
  }
  const Info& info() const override { return info_; }
  CancelHandle Classify(ClassifyImageRequest, Done<ImageClasses>) override { return {}; }
  CancelHandle Embed(ImageRequest, Done<ImageEmbedding>) override { return {}; }
  bool Drain(Duration) override { return true; }
  const Scheduler& scheduler() const override { return scheduler_; }

 private:
  class Quiet final : public SchedulerObserver {
    void OnStep(const StepStats&) override {}
    void OnQueueDepth(int32_t) override {}
    void OnQueueTime(Duration) override {}
    void OnDrop(DropReason) override {}
    void OnNotFinite() override {}
    void OnPreempt() override {}
  };

  Info info_;
  Quiet quiet_;
  Scheduler scheduler_{SchedulerOptions{}, {}, quiet_, Clock::Real()};
};

}  // namespace attendant
