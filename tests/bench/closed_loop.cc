#include "tests/bench/closed_loop.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <utility>

#include "engine/base/core_shares.h"
#include "engine/tasks/decode_executor.h"
#include "tests/bench/or_die.h"

namespace attendant {
namespace {

// Sums over the steps of all workers.
class StepCounter final : public SchedulerObserver {
 public:
  explicit StepCounter(int64_t block_bytes) : block_bytes_(block_bytes) {}

  void OnStep(const StepStats& stats) override {
    std::lock_guard lock(mutex_);
    ++steps_;
    rows_ += stats.rows;
    if (static_cast<size_t>(stats.worker) >= used_.size()) {
      used_.resize(static_cast<size_t>(stats.worker) + 1);
      running_.resize(used_.size());
    }
    used_[static_cast<size_t>(stats.worker)] = stats.num_blocks - stats.free_blocks;
    running_[static_cast<size_t>(stats.worker)] = stats.running;
    int64_t used = 0, running = 0;
    for (const int32_t blocks : used_) used += blocks;
    for (const int32_t jobs : running_) running += jobs;
    if (used * block_bytes_ > peak_bytes_) {
      peak_bytes_ = used * block_bytes_;
      peak_running_ = running;
    }
  }
  void OnQueueDepth(int32_t) override {}
  void OnQueueTime(Duration) override {}
  void OnDrop(DropReason) override {}
  void OnNotFinite() override {}
  void OnPreempt() override {}

  void AddTo(LoadResult& result) {
    std::lock_guard lock(mutex_);
    result.steps = steps_;
    result.decoded_rows = rows_;
    result.peak_kv_bytes = peak_bytes_;
    result.peak_running = peak_running_;
  }

 private:
  const int64_t block_bytes_;
  std::mutex mutex_;
  int64_t steps_ = 0, rows_ = 0, peak_bytes_ = 0, peak_running_ = 0;
  std::vector<int32_t> used_, running_;
};

// Keeps `concurrency` requests outstanding: each completion submits the next source.
class Loop {
 public:
  Loop(const Seq2Seq& model, const std::vector<std::vector<int32_t>>& sources, const LoadSpec& spec)
      : model_(model), sources_(sources), spec_(spec) {}

  LoadResult Run() {
    StepCounter counter(static_cast<int64_t>(model_.info().kv.block_bytes()));
    std::vector<std::unique_ptr<StepExecutor>> executors;
    for (int i = 0; i < spec_.num_workers; ++i) {
      KvPool pool = OrDie(KvPool::Create(model_.info().kv, spec_.kv_cache_bytes / spec_.num_workers));
      executors.push_back(std::make_unique<DecodeExecutor>(model_, std::move(pool), Clock::Real()));
    }
    CoreShares shares(spec_.num_workers, Clock::Real());
    SchedulerOptions options;
    options.cores = shares.Add(CoreShares::kDefaultWeight);
    Scheduler scheduler(options, std::move(executors), counter, Clock::Real());
    scheduler_ = &scheduler;
    const TimePoint begin = Clock::Real().Now();
    for (int i = 0; i < spec_.concurrency; ++i) SubmitNext();
    std::unique_lock lock(mutex_);
    all_done_.wait(lock, [this] { return finished_ == sources_.size(); });
    result_.seconds = Seconds(Clock::Real().Now() - begin);
    lock.unlock();
    scheduler.Drain(std::chrono::seconds(10));
    counter.AddTo(result_);
    std::sort(result_.latencies_ms.begin(), result_.latencies_ms.end());
    return std::move(result_);
  }

 private:
  static double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

  void SubmitNext() {
    size_t index;
    {
      std::lock_guard lock(mutex_);
      if (next_ == sources_.size()) return;
      index = next_++;
    }
    const TimePoint begin = Clock::Real().Now();
    auto sequence = OrDie(Sequence::Create({sources_[index], spec_.decoding}, model_.info()));
    TranslationJob::Hooks hooks;
    hooks.on_done = [this, index, begin](JobOutcome outcome) { Finish(index, begin, outcome); };
    const absl::Status status = scheduler_->Submit(std::make_shared<TranslationJob>(
        std::move(sequence), /*priority=*/0, kInfiniteFuture, std::move(hooks)));
    if (!status.ok()) std::cerr << "bench: " << status.ToString() << "\n", std::exit(1);
  }

  void Finish(size_t index, TimePoint begin, const JobOutcome& outcome) {
    if (!outcome.status.ok()) std::cerr << "bench: " << outcome.status.ToString() << "\n", std::exit(1);
    SubmitNext();
    std::lock_guard lock(mutex_);
    result_.latencies_ms.push_back(Seconds(Clock::Real().Now() - begin) * 1e3);
    result_.source_tokens += static_cast<int64_t>(sources_[index].size());
    result_.output_tokens += static_cast<int64_t>(outcome.hypotheses[0].token_log_probs.size());
    if (++finished_ == sources_.size()) all_done_.notify_one();
  }

  const Seq2Seq& model_;
  const std::vector<std::vector<int32_t>>& sources_;
  const LoadSpec& spec_;
  Scheduler* scheduler_ = nullptr;
  std::mutex mutex_;
  std::condition_variable all_done_;
  size_t next_ = 0;  // Guarded by mutex_, as all below.
  size_t finished_ = 0;
  LoadResult result_;
};

}  // namespace

double LoadResult::latency_ms(double quantile) const {
  const size_t last = latencies_ms.size() - 1;
  return latencies_ms[static_cast<size_t>(quantile * static_cast<double>(last) + 0.5)];
}

LoadResult RunClosedLoop(const Seq2Seq& model, const std::vector<std::vector<int32_t>>& sources,
                         const LoadSpec& spec) {
  return Loop(model, sources, spec).Run();
}

}  // namespace attendant
