#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/base/clock.h"
#include "engine/scheduler/job.h"
#include "engine/tasks/encode_job.h"
#include "engine/tensor/thread_team.h"

namespace attendant {

// Runs two kinds of job on one worker: EncodeJobs, which are over as soon as they have started, and those of
// a model that decodes. The KV blocks are the latter's. All is computed on the worker's own core: the other
// workers' may be decoding.
class SharedExecutor final : public StepExecutor {
 public:
  using MakeEncode = absl::FunctionRef<std::unique_ptr<EncodeExecutor>(const EncodeExecutor::Place&)>;
  // clock outlives it.
  SharedExecutor(std::unique_ptr<StepExecutor> decode, MakeEncode make_encode, const Clock& clock)
      : decode_(std::move(decode)), encode_(make_encode({clock, own_core_, /*worker=*/0})) {}

  int32_t num_blocks() const override { return decode_->num_blocks(); }
  int32_t free_blocks() const override { return decode_->free_blocks(); }
  void Start(absl::Span<Job* const> jobs) override;
  void Step(absl::Span<Job* const> jobs) override { decode_->Step(jobs); }
  void Release(Job& job) override;

 private:
  CoreLender own_core_{1};
  const std::unique_ptr<StepExecutor> decode_;
  const std::unique_ptr<EncodeExecutor> encode_;
  std::vector<Job*> to_decode_, to_encode_;  // Of one Start.
};

}  // namespace attendant
