#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/base/clock.h"
#include "engine/scheduler/job.h"
#include "engine/tasks/encode_job.h"

namespace attendant {

// A model that answers in one pass, and inputs that everyone can make alike. Immutable: thread-safe.
class EncoderSubject {
 public:
  virtual ~EncoderSubject() = default;

  // One worker's, as the product has it.
  virtual std::unique_ptr<EncodeExecutor> MakeExecutor(const EncodeExecutor::Place& place) const = 0;
  // The job of input number `index`, which is `tokens` long (images: as long as the model makes them). output
  // receives the answer, [OutputFloats()], and outlives the job: a text's hidden states, an image's logits,
  // or without a head its pooled state.
  virtual std::shared_ptr<EncodeJob> MakeJob(int64_t index, int32_t tokens, float* output,
                                             EncodeJob::Done done) const = 0;
  virtual size_t OutputFloats(int32_t tokens) const = 0;
  // Multiplications and additions of all matmuls of one input.
  virtual double Operations(int32_t tokens) const = 0;
  // Lengths worth measuring; {0} for images.
  virtual std::vector<int32_t> Lengths() const = 0;
  virtual std::vector<int> Concurrencies() const = 0;
};

// A Hugging Face directory with a text or an image encoder; images come in the size of its configuration.
// Errors: as LoadTextEncoder.
absl::StatusOr<std::unique_ptr<EncoderSubject>> LoadEncoderSubject(const std::filesystem::path& dir);

}  // namespace attendant
