#pragma once

#include <utility>
#include <vector>

#include "engine/models/text_encoder.h"
#include "engine/tasks/encode_job.h"
#include "engine/text/hf/text_tokenizer.h"

namespace attendant {

// One tokenised text in the scheduler.
class TextJob final : public EncodeJob {
 public:
  TextJob(Encoding encoding, int priority, TimePoint deadline, Take take, Done done)
      : EncodeJob(static_cast<int32_t>(encoding.size()), priority, deadline, std::move(take),
                  std::move(done)),
        encoding_(std::move(encoding)) {}
  const Encoding& encoding() const { return encoding_; }

 private:
  const Encoding encoding_;
};

// Runs TextJobs, and no others, on one worker.
class TextExecutor final : public EncodeExecutor {
 public:
  // encoder outlives it.
  TextExecutor(const TextEncoder& encoder, const Place& place) : EncodeExecutor(place), encoder_(encoder) {}

 private:
  void Encode(absl::Span<EncodeJob* const> jobs, const ThreadTeam& team) override;

  const TextEncoder& encoder_;
  std::vector<TextItem> items_;
};

}  // namespace attendant
