#include "tests/bench/matmul_peak.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

#include "engine/ops/dnnl_matmul.h"
#include "engine/ops/one_thread.h"

namespace attendant {
namespace {

constexpr int64_t kSize = 1024;
constexpr int kRounds = 8;

using dnnl::memory;

// One thread's part: kRounds timed matmuls, started together.
class PeakThread {
 public:
  PeakThread() {
    ComputeOnThisThreadAlone();
    const memory::desc plain({kSize, kSize}, memory::data_type::f32, memory::format_tag::ab);
    const memory::desc any({kSize, kSize}, memory::data_type::f32, memory::format_tag::any);
    const auto description = DescribeMatmul(plain, any, memory::desc(), plain, dnnl::primitive_attr());
    src_ = memory(plain, CpuEngine());
    weights_ = memory(description.weights_desc(), CpuEngine());
    dst_ = memory(plain, CpuEngine());
    std::fill_n(static_cast<float*>(src_.get_data_handle()), kSize * kSize, 0.5f);
    std::fill_n(static_cast<float*>(weights_.get_data_handle()), kSize * kSize, 0.25f);
    matmul_ = dnnl::matmul(description);
  }

  void RunOnce() {
    matmul_.execute(stream_, {{DNNL_ARG_SRC, src_}, {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_DST, dst_}});
    stream_.wait();
  }

 private:
  dnnl::stream stream_{CpuEngine()};
  memory src_, weights_, dst_;
  dnnl::matmul matmul_;
};

}  // namespace

double MeasureMatmulPeak(int num_threads) {
  std::vector<double> seconds(kRounds, 1e9);
  std::chrono::steady_clock::time_point begin;
  int round = 0;
  // Runs on one thread while the others wait: ends a round and begins the next.
  const auto turn = [&]() noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (round > 0)
      seconds[static_cast<size_t>(round - 1)] = std::chrono::duration<double>(now - begin).count();
    ++round;
    begin = now;
  };
  std::barrier barrier(num_threads, turn);
  std::vector<std::thread> threads;
  for (int i = 0; i < num_threads; ++i) {
    threads.emplace_back([&barrier] {
      PeakThread thread;
      thread.RunOnce();  // Warm.
      barrier.arrive_and_wait();
      for (int r = 0; r < kRounds; ++r) {
        thread.RunOnce();
        barrier.arrive_and_wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double best = *std::min_element(seconds.begin(), seconds.end());
  return 2.0 * kSize * kSize * kSize * num_threads / best / 1e9;
}

}  // namespace attendant
