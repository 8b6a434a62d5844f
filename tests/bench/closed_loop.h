#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/decoding/options.h"
#include "engine/models/seq2seq.h"
#include "engine/scheduler/scheduler.h"

namespace attendant {

// One load on the engine: `concurrency` requests always outstanding, until every source has been translated
// once.
struct LoadSpec {
  int concurrency = 1;
  int num_workers = 1;
  int64_t kv_cache_bytes = int64_t{1} << 30;
  DecodingOptions decoding;
};

struct LoadResult {
  double seconds = 0;
  int64_t source_tokens = 0;
  int64_t output_tokens = 0;         // Of the best hypotheses, end tokens included.
  std::vector<double> latencies_ms;  // Of each request, ascending.
  int64_t steps = 0;
  int64_t decoded_rows = 0;   // Rows of all decode steps.
  int64_t peak_kv_bytes = 0;  // Held at once, over all workers.
  int64_t peak_running = 0;   // Requests running when the KV cache was at its peak.

  double tokens_per_second() const { return static_cast<double>(output_tokens) / seconds; }
  double latency_ms(double quantile) const;
};

// Runs sources (token ids with the end token) through a scheduler of its own. Dies on an error: a benchmark
// has no user.
LoadResult RunClosedLoop(const Seq2Seq& model, const std::vector<std::vector<int32_t>>& sources,
                         const LoadSpec& spec);

}  // namespace attendant
