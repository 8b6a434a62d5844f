#pragma once

#include <vector>

#include "engine/base/clock.h"
#include "engine/decoding/decoder.h"
#include "engine/scheduler/job.h"
#include "engine/tasks/translation_job.h"

namespace attendant {

// Runs TranslationJobs, and no others, on one worker's Decoder.
class DecodeExecutor final : public StepExecutor {
 public:
  // model and clock outlive it.
  DecodeExecutor(const Seq2Seq& model, KvPool pool, const Clock& clock)
      : decoder_(model, std::move(pool)), clock_(clock) {}

  int32_t num_blocks() const override { return decoder_.pool().num_blocks(); }
  int32_t free_blocks() const override { return decoder_.pool().free_blocks(); }
  void Start(absl::Span<Job* const> jobs) override;
  void Step(absl::Span<Job* const> jobs) override;
  void Release(Job& job) override;

 private:
  void CollectSequences(absl::Span<Job* const> jobs);

  Decoder decoder_;
  const Clock& clock_;
  std::vector<Sequence*> sequences_;
};

}  // namespace attendant
