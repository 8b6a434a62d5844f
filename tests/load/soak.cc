// Hours of everything at once, and what the server keeps of it.
//
//   soak [--minutes=N] [--rate=N] [--clients=N]
//
// Starts an attendant-server with models/ and sends it, `rate` a second (20) from `clients` connections (16)
// for `minutes` (30), a mixture of calls of all kinds (soak_calls.cc): good ones, such as end early, bad
// ones, new connections; every half minute all models are loaded anew. Each good answer is compared, bit by
// bit, with the one that was given at the start. Every ten seconds the load pauses for a moment and a line of
// the table is printed.
//
// Exit code 0 only if the promise held: after the warm-up (a sixth of the time, at least half a minute) the
// server's resident memory grows by at most 16 MiB, its descriptors and threads are the same in the end; no
// answer is wrong, no call fails otherwise than it may, every reload succeeds, the server leaves with code 0.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "attendant/v1/admin_service.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/integration/server_process.h"
#include "tests/load/soak_calls.h"

namespace attendant {
namespace {

using SoakClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kSampleEvery(10);
constexpr seconds kReloadEvery(30);
constexpr seconds kFirstReload(15);
constexpr seconds kLeastWarmUp(30);
// From the end of the last call until what it had is given back.
constexpr milliseconds kSettle(1000);
constexpr double kMaxGrowthMib = 16;
constexpr int kMaxComplaints = 20;

// Nothing to measure: the server goes with the stack.
[[noreturn]] void GiveUp(const std::string& why) {
  throw std::runtime_error(why);
}

struct Options {
  int minutes = 30;
  int rate = 20;
  int clients = 16;
};

// Lets many in and can be closed: then nobody is in.
class Gate {
 public:
  void Enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_open_; });
    ++inside_;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    --inside_;
    changed_.notify_all();
  }

  // Closed as long as this lives; the constructor waits until all have left.
  class Closed {
   public:
    explicit Closed(Gate& gate) : gate_(gate) { gate_.Close(); }
    ~Closed() { gate_.Open(); }
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    Gate& gate_;
  };

 private:
  void Close() {
    std::unique_lock lock(mutex_);
    is_open_ = false;
    changed_.wait(lock, [this] { return inside_ == 0; });
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;  // Guarded by mutex_, as is ...
  int inside_ = 0;
};

// What became of the calls of one kind.
struct Tally {
  int64_t right = 0;
  int64_t refused = 0;  // As they may be.
  int64_t wrong = 0;    // Another answer than at the start.
  int64_t failed = 0;
};

// The calls: `rate` a second from `clients` threads, each with its connection, from Start until Stop.
class Load {
 public:
  Load(const Options& options, int port, Gate& gate)
      : interval_(std::chrono::nanoseconds(1'000'000'000 / options.rate)),
        clients_(options.clients),
        port_(port),
        gate_(gate),
        kinds_(SoakKinds(port)),
        tallies_(kinds_.size()) {}
  ~Load() { Stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // The answers that all later ones must be.
  void AskForReferences() {
    const auto channel = SoakChannel(port_);
    for (const SoakKind& kind : kinds_) {
      std::vector<std::string>& answers = references_.emplace_back();
      for (int i = 0; i < kind.variants; ++i) {
        Answer answer = Ask(kind, channel, i, Pace::kInFull);
        if (!kind.Allows(answer.status.error_code())) {
          GiveUp(absl::StrCat("before the load, ", kind.name, ": code ",
                              static_cast<int>(answer.status.error_code()), ", ",
                              answer.status.error_message()));
        }
        answers.push_back(std::move(answer.essence));
      }
    }
  }
  void Start() {
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (int i = 0; i < clients_; ++i) {
      channels.push_back(SoakChannel(port_));
      if (!channels.back()->WaitForConnected(std::chrono::system_clock::now() + std::chrono::minutes(1)))
        GiveUp("a client cannot connect");
    }
    begin_ = SoakClock::now();
    for (int i = 0; i < clients_; ++i) {
      threads_.emplace_back([this, i, channel = channels[static_cast<size_t>(i)]] { Run(i, channel); });
    }
  }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  Tally Total() const {
    const std::lock_guard lock(mutex_);
    Tally total;
    for (const Tally& tally : tallies_) {
      total.right += tally.right;
      total.refused += tally.refused;
      total.wrong += tally.wrong;
      total.failed += tally.failed;
    }
    return total;
  }
  void Print() const {
    const std::lock_guard lock(mutex_);
    std::printf("\n%-30s %9s %9s %9s %9s\n", "calls", "right", "refused", "wrong", "failed");
    for (size_t i = 0; i < kinds_.size(); ++i) {
      const Tally& tally = tallies_[i];
      std::printf("%-30s %9lld %9lld %9lld %9lld\n", kinds_[i].name.c_str(),
                  static_cast<long long>(tally.right), static_cast<long long>(tally.refused),
                  static_cast<long long>(tally.wrong), static_cast<long long>(tally.failed));
    }
  }

 private:
  void Run(int client, const std::shared_ptr<grpc::Channel>& channel) {
    std::mt19937 random(static_cast<unsigned>(client));
    std::vector<int> shares;
    for (const SoakKind& kind : kinds_) shares.push_back(kind.share);
    std::discrete_distribution<size_t> choose(shares.begin(), shares.end());
    while (!stop_) {
      std::this_thread::sleep_until(begin_ + next_++ * interval_);
      gate_.Enter();
      const size_t kind = choose(random);
      const int variant = std::uniform_int_distribution<int>(0, kinds_[kind].variants - 1)(random);
      Record(kind, variant, Ask(kinds_[kind], channel, variant, Pace::kAsTheKindSays));
      gate_.Leave();
    }
  }
  void Record(size_t kind, int variant, const Answer& answer) {
    const bool is_ok = answer.status.ok();
    const bool is_same = answer.essence == references_[kind][static_cast<size_t>(variant)];
    const std::lock_guard lock(mutex_);
    Tally& tally = tallies_[kind];
    if (!kinds_[kind].Allows(answer.status.error_code())) {
      ++tally.failed;
      Complain(absl::StrCat(kinds_[kind].name, " ", variant, ": code ",
                            static_cast<int>(answer.status.error_code()), ", ",
                            answer.status.error_message()));
    } else if (!is_ok) {
      ++tally.refused;
    } else if (!is_same) {
      ++tally.wrong;
      Complain(absl::StrCat(kinds_[kind].name, " ", variant, ": another answer than at the start"));
    } else {
      ++tally.right;
    }
  }
  void Complain(const std::string& what) {
    if (++complaints_ <= kMaxComplaints) std::cerr << what << "\n";
  }

  const std::chrono::nanoseconds interval_;
  const int clients_;
  const int port_;
  Gate& gate_;
  const std::vector<SoakKind> kinds_;
  std::vector<std::vector<std::string>> references_;  // By kind and variant.
  SoakClock::time_point begin_;
  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> next_ = 0;
  mutable std::mutex mutex_;
  std::vector<Tally> tallies_;  // By kind. Guarded by mutex_, as is ...
  int complaints_ = 0;
  std::vector<std::thread> threads_;
};

// Loads all models anew, over and over.
class Reloads {
 public:
  Reloads(int admin_port, Gate& gate) : channel_(SoakChannel(admin_port)), gate_(gate) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Reloads() { Stop(); }
  Reloads(const Reloads&) = delete;
  Reloads& operator=(const Reloads&) = delete;

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  int done() const { return done_; }
  int failed() const { return failed_; }

 private:
  void Run() {
    for (auto due = SoakClock::now() + kFirstReload;; due += kReloadEvery) {
      {
        std::unique_lock lock(mutex_);
        if (changed_.wait_until(lock, due, [this] { return stop_; })) return;
      }
      gate_.Enter();
      for (const char* name : {"translate-en-de", "embed-en-de", "classify-language", "classify-cifar10"}) {
        LoadOne(name);
      }
      gate_.Leave();
    }
  }
  void LoadOne(const std::string& name) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
    v1::LoadModelRequest request;
    request.set_name(name);
    v1::LoadModelResponse response;
    const grpc::Status status = v1::AdminService::NewStub(channel_)->LoadModel(&context, request, &response);
    ++(status.ok() && response.model().state() == v1::Model::READY ? done_ : failed_);
    if (!status.ok()) std::cerr << "reload of " << name << ": " << status.error_message() << "\n";
  }

  const std::shared_ptr<grpc::Channel> channel_;
  Gate& gate_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;  // Guarded by mutex_.
  std::atomic<int> done_ = 0;
  std::atomic<int> failed_ = 0;
  std::thread thread_;
};

// What the system says that a process has.
struct Sample {
  double rss_mib = 0;
  double descriptors = 0;
  double threads = 0;
};

Sample SampleOf(pid_t pid) {
  const std::string dir = absl::StrCat("/proc/", pid);
  Sample sample;
  std::ifstream status(dir + "/status");
  for (std::string line; std::getline(status, line);) {
    long long value = 0;
    if (std::sscanf(line.c_str(), "VmRSS: %lld kB", &value) == 1) sample.rss_mib = value / 1024.0;
    if (std::sscanf(line.c_str(), "Threads: %lld", &value) == 1) sample.threads = value;
  }
  if (sample.threads == 0 || sample.rss_mib == 0) GiveUp("the server is gone");
  const auto fds = std::filesystem::directory_iterator(dir + "/fd");
  sample.descriptors = static_cast<double>(std::distance(begin(fds), end(fds)));
  return sample;
}

Sample QuietSampleOf(pid_t pid, Gate& gate) {
  const Gate::Closed closed(gate);
  std::this_thread::sleep_for(kSettle);
  return SampleOf(pid);
}

double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Of each figure the median over the samples [begin, end).
Sample MedianOf(const std::vector<Sample>& samples, size_t begin, size_t end) {
  std::vector<double> rss, descriptors, threads;
  for (size_t i = begin; i < end; ++i) {
    rss.push_back(samples[i].rss_mib);
    descriptors.push_back(samples[i].descriptors);
    threads.push_back(samples[i].threads);
  }
  return {MedianOf(rss), MedianOf(descriptors), MedianOf(threads)};
}

// A line of the table each ten seconds, until the time is over. The samples after the warm-up.
std::vector<Sample> Watch(const Options& options, pid_t pid, Gate& gate, const Load& load,
                          const Reloads& reloads) {
  const seconds whole = std::chrono::minutes(options.minutes);
  const seconds warm_up = std::max(kLeastWarmUp, whole / 6);
  std::vector<Sample> samples;
  const auto begin = SoakClock::now();
  std::printf("%6s %9s %9s %6s %8s %9s %12s %8s\n", "s", "right", "refused", "bad", "reloads", "RSS MiB",
              "descriptors", "threads");
  for (seconds at = kSampleEvery; at <= whole; at += kSampleEvery) {
    std::this_thread::sleep_until(begin + at);
    const Sample sample = QuietSampleOf(pid, gate);
    const bool is_warm = at > warm_up;
    if (is_warm) samples.push_back(sample);
    const Tally total = load.Total();
    std::printf("%6lld %9lld %9lld %6lld %8d %9.1f %12.0f %8.0f%s\n", static_cast<long long>(at.count()),
                static_cast<long long>(total.right), static_cast<long long>(total.refused),
                static_cast<long long>(total.wrong + total.failed), reloads.done(), sample.rss_mib,
                sample.descriptors, sample.threads, is_warm ? "" : "  (warm-up)");
    std::fflush(stdout);
  }
  return samples;
}

bool PrintGrowth(const std::vector<Sample>& samples) {
  constexpr size_t kLeast = 3;  // A median of fewer says little.
  const size_t count = std::min(samples.size(), std::max(kLeast, samples.size() / 10));
  const Sample first = MedianOf(samples, 0, count);
  const Sample last = MedianOf(samples, samples.size() - count, samples.size());
  const double growth = last.rss_mib - first.rss_mib;
  std::printf("\n%-30s %12s %12s\n", "median", "warm", "at the end");
  std::printf("%-30s %12.1f %12.1f  %+.1f, at most %.0f\n", "resident memory, MiB", first.rss_mib,
              last.rss_mib, growth, kMaxGrowthMib);
  std::printf("%-30s %12.1f %12.1f\n", "descriptors", first.descriptors, last.descriptors);
  std::printf("%-30s %12.1f %12.1f\n", "threads", first.threads, last.threads);
  return growth <= kMaxGrowthMib && first.descriptors == last.descriptors && first.threads == last.threads;
}

void AwaitServing(int port) {
  const auto stub = grpc::health::v1::Health::NewStub(SoakChannel(port));
  for (const auto end = SoakClock::now() + std::chrono::minutes(2); SoakClock::now() < end;) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(5));
    grpc::health::v1::HealthCheckResponse response;
    if (stub->Check(&context, {}, &response).ok() &&
        response.status() == grpc::health::v1::HealthCheckResponse::SERVING)
      return;
    std::this_thread::sleep_for(milliseconds(50));
  }
  GiveUp("the server does not come up");
}

int RunSoak(const Options& options) {
  ServerProcess server({"--models=" ATTENDANT_SOURCE_DIR "/models", "--listen=127.0.0.1:0",
                        "--metrics=127.0.0.1:0", "--admin=127.0.0.1:0", "--log-level=error"});
  const int port = server.GrpcPort();
  if (port == 0) GiveUp(absl::StrCat("the server does not start: ", server.Stderr()));
  AwaitServing(port);
  Gate gate;
  Load load(options, port, gate);
  load.AskForReferences();
  load.Start();
  Reloads reloads(server.AdminPort(), gate);
  const std::vector<Sample> samples = Watch(options, server.pid(), gate, load, reloads);
  reloads.Stop();
  load.Stop();
  server.Signal(SIGTERM);
  const int exit_code = server.Wait();

  load.Print();
  const Tally total = load.Total();
  const bool is_constant = PrintGrowth(samples);
  std::printf("%-30s %12d   failed: %d\n", "reloads", reloads.done(), reloads.failed());
  std::printf("%-30s %12d\n", "exit code of the server", exit_code);
  const bool held = is_constant && total.wrong == 0 && total.failed == 0 && reloads.failed() == 0 &&
                    reloads.done() > 0 && exit_code == 0;
  std::printf("%-30s %12s\n", "the promise", held ? "held" : "BROKEN");
  if (!held) std::cerr << server.Stderr();
  return held ? 0 : 1;
}

int Main(const std::vector<std::string>& args) {
  Options options;
  for (const std::string& arg : args) {
    absl::string_view value = arg;
    int* const number = absl::ConsumePrefix(&value, "--minutes=")   ? &options.minutes
                        : absl::ConsumePrefix(&value, "--rate=")    ? &options.rate
                        : absl::ConsumePrefix(&value, "--clients=") ? &options.clients
                                                                    : nullptr;
    if (number == nullptr) GiveUp(absl::StrCat(arg, ": there is no such flag; see the top of soak.cc"));
    if (!absl::SimpleAtoi(value, number) || *number < 1) GiveUp(absl::StrCat(arg, " needs a number from 1"));
  }
  return RunSoak(options);
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  try {
    return attendant::Main(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << "soak: " << error.what() << "\n";
    return 1;
  }
}
