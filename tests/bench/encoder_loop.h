#pragma once

#include <cstdint>
#include <vector>

#include "engine/tasks/encode_pipeline.h"
#include "tests/bench/encoder_subject.h"

namespace attendant {

// One load: `concurrency` inputs always outstanding, until `count` are answered.
struct EncoderLoad {
  int32_t tokens = 0;  // Of each text; 0 for images.
  int concurrency = 1;
  int64_t count = 1;
};

struct EncoderLoadResult {
  double seconds = 0;
  std::vector<double> latencies_ms;  // Of each input, ascending.
  int64_t batches = 0;
  std::vector<float> first_output;  // Input 0's.

  double inputs_per_second() const { return static_cast<double>(latencies_ms.size()) / seconds; }
  double inputs_per_batch() const {
    return static_cast<double>(latencies_ms.size()) / static_cast<double>(batches);
  }
  double latency_ms(double quantile) const;
};

// A subject behind the product's pipeline, with as many workers as the process has CPUs. Not thread-safe.
class EncoderLoop {
 public:
  explicit EncoderLoop(const EncoderSubject& subject);
  ~EncoderLoop();

  // Dies on an error: a benchmark has no user.
  EncoderLoadResult Run(const EncoderLoad& load);
  int num_workers() const;

 private:
  class BatchCounter;
  struct Open;
  void SubmitNext(Open& open, size_t slot);

  const EncoderSubject& subject_;
  std::unique_ptr<BatchCounter> counter_;
  std::unique_ptr<EncodePipeline> pipeline_;
};

}  // namespace attendant
