#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/tasks/translator.h"

namespace attendant {

// A translator without a model: it keeps requests until the test answers them. For what a real one cannot be
// made to do at will: to be of any language, to fail, to be slow.
class ScriptedTranslator : public Translator {
 public:
  struct Call {
    TranslationRequest request;
    TranslationEvents events;
    Done done;
    std::shared_ptr<bool> cancelled = std::make_shared<bool>(false);
  };

  ScriptedTranslator(std::string source, std::string target) {
    info_.source_language = std::move(source);
    info_.target_language = std::move(target);
    info_.why_not_embedding = "its card does not say so";
  }
  const Info& info() const override { return info_; }
  CancelHandle Translate(TranslationRequest request, TranslationEvents events, Done done) override {
    calls.push_back({std::move(request), std::move(events), std::move(done)});
    return CancelHandle([cancelled = calls.back().cancelled] { *cancelled = true; });
  }
  TextModel* embedder() override { return nullptr; }
  bool Drain(Duration) override { return true; }
  const Scheduler& scheduler() const override { return scheduler_; }

  std::vector<Call> calls;

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
