// What the server does when it is asked for more than it can do: open-loop load, Poisson arrivals, at 1, 3
// and 10 times its measured capacity, over real sockets to an attendant-server process.
//
//   overload_bench SERVER MODEL_DIR TEXT [SECONDS] [SENTENCES] [QUEUE_MS] [DEADLINE_MS] [SERVER_FLAG ...]
//
// SERVER: the program. TEXT: sentences, one a line. SECONDS of each load: 15. SENTENCES of one request: 8.
// QUEUE_MS: the server's --max-queue-ms, 500. DEADLINE_MS of each call: 2000.
//
// Capacity is the best of closed loops with 16, 32 and 64 calls outstanding. The client runs on the same
// cores as the server: its share of them is in the table, and what it takes the server does not have.
#include <fcntl.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "attendant/v1/translation_service.pb.h"
#include "engine/base/clock.h"
#include "engine/base/cpu_budget.h"

namespace attendant {
namespace {

using FloatSeconds = std::chrono::duration<double>;
using std::chrono::milliseconds;

constexpr char kTranslateMethod[] = "/attendant.v1.TranslationService/Translate";

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "overload_bench: " << why << "\n";
  std::exit(1);
}

struct BenchOptions {
  std::string server, model, text;
  double seconds = 15;
  int sentences = 8;
  int queue_ms = 500;
  int deadline_ms = 2000;
  std::vector<std::string> flags;
};

// The server as a process; killed at the end.
class BenchServer {
 public:
  explicit BenchServer(const BenchOptions& options) {
    const std::string ports =
        (std::filesystem::temp_directory_path() / absl::StrCat("overload_bench.", getpid())).string();
    std::vector<std::string> args = {options.server,
                                     absl::StrCat("--model=model=", options.model),
                                     "--listen=127.0.0.1:0",
                                     "--metrics=",
                                     absl::StrCat("--max-queue-ms=", options.queue_ms),
                                     absl::StrCat("--port-file=", ports)};
    args.insert(args.end(), options.flags.begin(), options.flags.end());
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      execv(argv[0], argv.data());
      _exit(127);
    }
    std::string word;
    for (int i = 0; i < 2000 && port_ == 0; ++i) {
      std::ifstream in(ports);
      if (in >> word) in >> port_;
      std::this_thread::sleep_for(milliseconds(5));
    }
    std::filesystem::remove(ports);
    if (port_ == 0) Die("the server does not start");
  }
  ~BenchServer() {
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
  }
  int port() const { return port_; }

 private:
  pid_t pid_ = 0;
  int port_ = 0;
};

std::vector<grpc::ByteBuffer> MakeRequests(const BenchOptions& options) {
  std::ifstream in(options.text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) Die("no sentences in " + options.text);
  constexpr size_t kRequests = 64;
  std::vector<grpc::ByteBuffer> requests;
  for (size_t i = 0; i < kRequests; ++i) {
    v1::TranslateRequest request;
    std::string& text = *request.add_contents();
    for (int s = 0; s < options.sentences; ++s) {
      absl::StrAppend(
          &text, lines[(i * static_cast<size_t>(options.sentences) + static_cast<size_t>(s)) % lines.size()],
          "\n");
    }
    const grpc::Slice slice(request.SerializeAsString());
    requests.emplace_back(&slice, 1);
  }
  return requests;
}

// What became of the calls of one load.
struct Tally {
  std::vector<double> accepted_ms;  // Answered.
  std::vector<double> rejected_ms;  // RESOURCE_EXHAUSTED.
  int64_t expired = 0;
  int64_t other = 0;
  std::string other_message;
  int64_t in_window = 0;  // Answered while the load was steady.

  static double Percentile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1,
                           static_cast<size_t>(share * static_cast<double>(values.size())))];
  }
};

// Sends calls that nobody waits for, and tallies their ends.
class Caller {
 public:
  Caller(int port, const BenchOptions& options) : options_(options), requests_(MakeRequests(options)) {
    constexpr int kChannels = 2;
    for (int i = 0; i < kChannels; ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      stubs_.push_back(std::make_unique<Stub>(grpc::CreateCustomChannel(
          absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(), arguments)));
    }
  }

  // `then` is called after the tally, with the status.
  void Call(std::function<void(const grpc::Status&)> then = {}) {
    const size_t index = next_.fetch_add(1);
    auto* call = new OneCall;
    call->begin = Clock::Real().Now();
    call->then = std::move(then);
    call->context.set_deadline(std::chrono::system_clock::now() + milliseconds(options_.deadline_ms));
    ++open_;
    stubs_[index % stubs_.size()]->UnaryCall(&call->context, kTranslateMethod, {},
                                             &requests_[index % requests_.size()], &call->response,
                                             [this, call](const grpc::Status& status) { End(call, status); });
  }

  void SetWindow(TimePoint from, TimePoint to) {
    const std::lock_guard lock(mutex_);
    tally_ = {};
    window_from_ = from;
    window_to_ = to;
  }
  Tally Take() {
    while (open_ > 0) std::this_thread::sleep_for(milliseconds(1));
    const std::lock_guard lock(mutex_);
    return std::exchange(tally_, {});
  }

 private:
  using Stub = grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer>;
  struct OneCall {
    grpc::ClientContext context;
    grpc::ByteBuffer response;
    TimePoint begin;
    std::function<void(const grpc::Status&)> then;
  };

  void End(OneCall* call, const grpc::Status& status) {
    const std::unique_ptr<OneCall> owned(call);
    const TimePoint now = Clock::Real().Now();
    const double ms = 1000 * FloatSeconds(now - call->begin).count();
    {
      const std::lock_guard lock(mutex_);
      if (status.ok()) {
        tally_.accepted_ms.push_back(ms);
        if (now >= window_from_ && now < window_to_) ++tally_.in_window;
      } else if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
        tally_.rejected_ms.push_back(ms);
      } else if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
        ++tally_.expired;
      } else {
        ++tally_.other;
        tally_.other_message = status.error_message();
      }
    }
    if (call->then) call->then(status);
    --open_;
  }

  const BenchOptions& options_;
  std::vector<grpc::ByteBuffer> requests_;
  std::vector<std::unique_ptr<Stub>> stubs_;
  std::atomic<size_t> next_{0};
  std::atomic<int64_t> open_{0};
  std::mutex mutex_;  // Guards all below.
  Tally tally_;
  TimePoint window_from_, window_to_;
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

constexpr auto kSettle = std::chrono::seconds(2);  // Of each load, not counted.

double ClosedLoop(Caller& caller, int outstanding, double seconds) {
  const TimePoint begin = Clock::Real().Now();
  const TimePoint end = begin + kSettle + std::chrono::duration_cast<Duration>(FloatSeconds(seconds));
  caller.SetWindow(begin + kSettle, end);
  std::function<void(const grpc::Status&)> again = [&](const grpc::Status&) {
    if (Clock::Real().Now() < end) caller.Call(again);
  };
  for (int i = 0; i < outstanding; ++i) caller.Call(again);
  std::this_thread::sleep_until(end);
  return static_cast<double>(caller.Take().in_window) / seconds;
}

// Time until a call alone is answered as fast as before the load.
double Recovery(Caller& caller, double usual_ms) {
  const TimePoint begin = Clock::Real().Now();
  while (true) {
    const TimePoint asked = Clock::Real().Now();
    std::atomic<int> state{0};
    caller.Call([&](const grpc::Status& status) {
      state = status.ok() ? 1 : 2;
      state.notify_one();
    });
    state.wait(0);
    const double ms = 1000 * FloatSeconds(Clock::Real().Now() - asked).count();
    if (state == 1 && ms < 2 * usual_ms + 5) return FloatSeconds(asked - begin).count();
    if (FloatSeconds(asked - begin).count() > 60) return 60;
    std::this_thread::sleep_for(milliseconds(20));
  }
}

void OpenLoop(Caller& caller, const BenchOptions& options, double factor, double peak, double usual_ms) {
  std::mt19937_64 random(42);
  std::exponential_distribution<double> gap(factor * peak);
  const TimePoint begin = Clock::Real().Now();
  const TimePoint end = begin + kSettle + std::chrono::duration_cast<Duration>(FloatSeconds(options.seconds));
  caller.SetWindow(begin + kSettle, end);
  const double cpu = CpuSeconds();
  int64_t sent = 0;
  for (TimePoint due = begin; due < end;
       due += std::chrono::duration_cast<Duration>(FloatSeconds(gap(random)))) {
    if (due > Clock::Real().Now()) std::this_thread::sleep_until(due);
    caller.Call();
    ++sent;
  }
  const double late_s = FloatSeconds(Clock::Real().Now() - end).count();
  const double took = FloatSeconds(Clock::Real().Now() - begin).count();
  const double client = (CpuSeconds() - cpu) / took / DetectCpuBudget().num_cpus;
  const TimePoint stopped = Clock::Real().Now();
  const double recovery = Recovery(caller, usual_ms);
  const Tally tally = caller.Take();
  const double goodput = static_cast<double>(tally.in_window) / options.seconds;
  std::printf("%5.0fx %8.0f %9.1f %7.1f %% %8.0f %8.0f %9.1f %9.1f %8zu %8lld %6lld %8.2f %7.1f %%", factor,
              static_cast<double>(sent) / took, goodput, 100 * goodput / peak,
              Tally::Percentile(tally.accepted_ms, 0.5), Tally::Percentile(tally.accepted_ms, 0.99),
              Tally::Percentile(tally.rejected_ms, 0.5), Tally::Percentile(tally.rejected_ms, 0.99),
              tally.rejected_ms.size(), static_cast<long long>(tally.expired),
              static_cast<long long>(tally.other), recovery, 100 * client);
  if (late_s > 0.1) std::printf("  (the load fell %.2f s behind)", late_s);
  std::printf("%s\n", tally.other_message.c_str());
  std::fflush(stdout);
  std::this_thread::sleep_until(stopped + std::chrono::seconds(2));
}

void Bench(const BenchOptions& options) {
  const BenchServer server(options);
  Caller caller(server.port(), options);
  const auto alone = [&caller] {
    std::atomic<int> state{0};
    caller.Call([&state](const grpc::Status& status) {
      state = status.ok() ? 1 : 2;
      state.notify_one();
    });
    state.wait(0);
    return state == 1;
  };
  for (int i = 0; i < 3000 && !alone(); ++i) std::this_thread::sleep_for(milliseconds(10));
  ClosedLoop(caller, 16, 1);  // To warm up.
  caller.SetWindow({}, {});
  for (int i = 0; i < 20; ++i) alone();
  const double usual_ms = Tally::Percentile(caller.Take().accepted_ms, 0.5);
  double peak = 0;
  for (const int outstanding : {16, 32, 64}) {
    const double rate = ClosedLoop(caller, outstanding, options.seconds / 3);
    std::printf("closed loop, %3d outstanding: %.1f requests/s\n", outstanding, rate);
    peak = std::max(peak, rate);
  }
  std::printf(
      "alone: %.1f ms; capacity %.1f requests/s of %d sentences; queue budget %d ms, deadline %d ms\n",
      usual_ms, peak, options.sentences, options.queue_ms, options.deadline_ms);
  std::printf("%6s %8s %9s %9s %8s %8s %9s %9s %8s %8s %6s %8s %9s\n", "load", "sent/s", "good/s", "of peak",
              "p50 ms", "p99 ms", "rej p50", "rej p99", "rejected", "expired", "other", "recov s", "client");
  for (const double factor : {1.0, 3.0, 10.0}) OpenLoop(caller, options, factor, peak, usual_ms);
}

int OverloadMain(int argc, char** argv) {
  if (argc < 4)
    Die("usage: overload_bench SERVER MODEL_DIR TEXT [SECONDS] [SENTENCES] [QUEUE_MS] [DEADLINE_MS] [FLAG "
        "...]");
  BenchOptions options;
  options.server = argv[1];
  options.model = argv[2];
  options.text = argv[3];
  if (argc > 4) options.seconds = std::max(1.0, std::atof(argv[4]));
  if (argc > 5) options.sentences = std::max(1, std::atoi(argv[5]));
  if (argc > 6) options.queue_ms = std::max(0, std::atoi(argv[6]));
  if (argc > 7) options.deadline_ms = std::max(1, std::atoi(argv[7]));
  for (int i = 8; i < argc; ++i) options.flags.emplace_back(argv[i]);
  Bench(options);
  return 0;
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  return attendant::OverloadMain(argc, argv);
}
