#include "tests/bench/encoder_loop.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <utility>

namespace attendant {
namespace {

double Seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

class EncoderLoop::BatchCounter final : public SchedulerObserver {
 public:
  void OnStep(const StepStats& stats) override {
    if (stats.entered > 0) ++batches_;
  }
  void OnQueueDepth(int32_t) override {}
  void OnQueueTime(Duration) override {}
  void OnDrop(DropReason) override {}
  void OnPreempt() override {}
  void OnNotFinite() override {}
  int64_t Take() { return batches_.exchange(0); }

 private:
  std::atomic<int64_t> batches_ = 0;
};

// A run under way. Each of the outstanding inputs has a slot for its answer.
struct EncoderLoop::Open {
  EncoderLoad load;
  std::vector<std::vector<float>> outputs;
  std::mutex mutex;
  std::condition_variable all_done;
  int64_t next = 0;  // Guarded by mutex, as all below.
  int64_t finished = 0;
  EncoderLoadResult result;
};

EncoderLoop::EncoderLoop(const EncoderSubject& subject)
    : subject_(subject), counter_(std::make_unique<BatchCounter>()) {
  const EncodePipelineOptions options;
  pipeline_ = std::make_unique<EncodePipeline>(
      options, [&](const EncodeExecutor::Place& place) { return subject.MakeExecutor(place); }, *counter_,
      Clock::Real());
}

EncoderLoop::~EncoderLoop() = default;

int EncoderLoop::num_workers() const {
  return pipeline_->scheduler().num_workers();
}

void EncoderLoop::SubmitNext(Open& open, size_t slot) {
  int64_t index;
  {
    const std::lock_guard lock(open.mutex);
    if (open.next == open.load.count) return;
    index = open.next++;
  }
  const TimePoint begin = Clock::Real().Now();
  EncodePipeline::Input input;
  input.prepare = [this, &open, slot, index](EncodeJob::Done done) {
    return subject_.MakeJob(index, open.load.tokens, open.outputs[slot].data(), std::move(done));
  };
  input.done = [this, &open, slot, index, begin](absl::Status status, const EncodeTiming&) {
    if (!status.ok()) std::cerr << "bench: " << status.ToString() << "\n", std::exit(1);
    const double latency_ms = Seconds(Clock::Real().Now() - begin) * 1e3;
    if (index == 0) open.result.first_output = open.outputs[slot];
    SubmitNext(open, slot);
    const std::lock_guard lock(open.mutex);
    open.result.latencies_ms.push_back(latency_ms);
    if (++open.finished == open.load.count) open.all_done.notify_one();
  };
  pipeline_->Run(std::move(input));
}

EncoderLoadResult EncoderLoop::Run(const EncoderLoad& load) {
  Open open;
  open.load = load;
  open.outputs.resize(static_cast<size_t>(load.concurrency),
                      std::vector<float>(subject_.OutputFloats(load.tokens)));
  counter_->Take();
  const TimePoint begin = Clock::Real().Now();
  for (size_t slot = 0; slot < open.outputs.size(); ++slot) SubmitNext(open, slot);
  std::unique_lock lock(open.mutex);
  open.all_done.wait(lock, [&] { return open.finished == load.count; });
  open.result.seconds = Seconds(Clock::Real().Now() - begin);
  open.result.batches = counter_->Take();
  std::sort(open.result.latencies_ms.begin(), open.result.latencies_ms.end());
  return std::move(open.result);
}

double EncoderLoadResult::latency_ms(double quantile) const {
  const size_t last = latencies_ms.size() - 1;
  return latencies_ms[static_cast<size_t>(quantile * static_cast<double>(last) + 0.5)];
}

}  // namespace attendant
