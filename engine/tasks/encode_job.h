#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "engine/base/clock.h"
#include "engine/scheduler/job.h"
#include "engine/tensor/thread_team.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// When an input came to its stages. Unset: not yet.
struct EncodeTimes {
  TimePoint started;
  TimePoint encoded;
};

// One input of a model that answers in one pass: it is finished as soon as it has started. What it holds
// between is on the worker's Workspace, so it takes no KV blocks.
class EncodeJob : public Job {
 public:
  // On the worker's thread, with what the encoder gave for this input: takes what it needs. Short.
  using Take = absl::AnyInvocable<void(const float* hidden, Workspace& workspace)>;
  // Called once, on a completion thread.
  using Done = absl::AnyInvocable<void(absl::Status, EncodeTimes)>;

  EncodeJob(int32_t tokens, int priority, TimePoint deadline, Take take, Done done)
      : Job({.encode_tokens = tokens, .max_rows = 0}, priority, deadline),
        take_(std::move(take)),
        done_(std::move(done)) {}

  bool finished() const override { return is_encoded_; }
  int32_t num_rows() const override { return 0; }
  int32_t blocks_for_next_step() const override { return 0; }
  int32_t held_blocks() const override { return 0; }
  void Complete(absl::Status status) override { done_(std::move(status), times_); }

  // The executor's, in this order.
  void NoteStart(TimePoint now) { times_.started = now; }
  void TakeHidden(const float* hidden, Workspace& workspace) { take_(hidden, workspace); }
  void NoteEncoded(TimePoint now) {
    times_.encoded = now;
    is_encoded_ = true;
  }

 private:
  Take take_;
  Done done_;
  EncodeTimes times_;
  bool is_encoded_ = false;
};

// A StepExecutor for such jobs; a model's own says how a batch of them is encoded. One worker's.
class EncodeExecutor : public StepExecutor {
 public:
  // Which of the lender's cores is the worker's own. clock and lender outlive it.
  struct Place {
    const Clock& clock;
    CoreLender& lender;
    int32_t worker = 0;
  };
  explicit EncodeExecutor(const Place& place) : place_(place), core_(place.worker) {}

  int32_t num_blocks() const final { return 0; }
  int32_t free_blocks() const final { return 0; }
  void Start(absl::Span<Job* const> jobs) final;
  void Step(absl::Span<Job* const>) final {}  // Nothing is left to do after Start.
  void Release(Job&) final {}
  void UseCore(int32_t core) final { core_ = core; }
  Duration TakeLentTime() final { return std::exchange(lent_time_, Duration::zero()); }

 protected:
  // Encodes all, and lets each Take its part.
  virtual void Encode(absl::Span<EncodeJob* const> jobs, const ThreadTeam& team) = 0;

 private:
  const Place place_;
  int32_t core_;
  Duration lent_time_{};
  Workspace workspace_;
  std::vector<EncodeJob*> jobs_;
};

}  // namespace attendant
