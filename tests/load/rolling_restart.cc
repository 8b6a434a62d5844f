// Steady load through a proxy while the replicas behind it are restarted in turn.
//
//   rolling_restart --free-ports=N                 prints N ports that nobody uses, one a line
//   rolling_restart --proxy=HOST:PORT --ca=FILE --ports=A,B [--requests=N] [--restarts=N] [--rate=N]
//   [--signal=TERM|KILL]
//
// Starts an attendant-server, with the flags that deploy/proxy/README.md asks for, on each port (the proxy
// must know them), asks each for the answers to a thousand texts, and then sends these through the proxy:
// `rate` requests a second over eight connections, none tried twice. Each answer is compared, bit by bit,
// with the one expected of its request. tests/load/rolling_restart.sh starts the proxy and calls this.
//
// Exit code 0 only if the promise held. TERM: no request failed. KILL: some may fail, with UNAVAILABLE, if
// they were under way when a replica was killed. Always: no wrong answer, none late, every server left with
// code 0.
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace attendant {
namespace {

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;

constexpr int kNumTexts = 1000;
constexpr int kNumChannels = 8;
constexpr int kThreadsPerChannel = 2;
// A request without an answer for so long hangs.
constexpr std::chrono::seconds kDeadline(20);
// Longer than nginx leaves a replica alone that failed (fail_timeout): what Kubernetes calls minReadySeconds.
constexpr std::chrono::milliseconds kSettle(2500);

[[noreturn]] void Die(const std::string& message) {
  std::cerr << "rolling_restart: " << message << "\n";
  std::exit(1);
}

struct Options {
  std::string proxy;
  std::string ca_file;
  std::vector<int> ports;
  int64_t requests = 100'000;
  int restarts = 40;
  int rate = 300;
  int signal = SIGTERM;
};

// Texts that are all different, and so are their answers.
std::string TextOf(int index) {
  const char* const patterns[] = {"Where is train number %?", "Der Zug Nummer % ist heute wieder zu spät.",
                                  "Le train numéro % est parti.", "El tren número % no llega hoy."};
  std::string text = patterns[index % 4];
  return text.replace(text.find('%'), 1, absl::StrCat(index));
}

// All of an answer that must be the same whenever the same is asked.
std::string Essence(v1::ClassifyTextResponse response) {
  response.clear_timing();
  for (auto& classification : *response.mutable_classifications()) classification.clear_timing();
  return response.SerializeAsString();
}

grpc::Status Ask(v1::ClassificationService::Stub& stub, int index, std::string& essence) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  v1::ClassifyTextRequest request;
  request.add_texts(TextOf(index));
  request.set_return_logits(true);
  v1::ClassifyTextResponse response;
  const grpc::Status status = stub.ClassifyText(&context, request, &response);
  essence = Essence(std::move(response));
  return status;
}

std::shared_ptr<grpc::Channel> Connect(const std::string& target,
                                       const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // A connection of its own.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

// An attendant-server of its own process, always on the same port.
class Replica {
 public:
  explicit Replica(int port) : port_(port) { Start(); }
  ~Replica() {
    if (pid_ > 0) Stop(SIGKILL);
  }
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  void Start() {
    const std::string listen = absl::StrCat("--listen=127.0.0.1:", port_);
    pid_ = fork();
    if (pid_ != 0) return;
    execl(ATTENDANT_BINARY_DIR "/attendant-server", "attendant-server", listen.c_str(),
          "--metrics=", "--listen-when-ready", "--max-connection-age-ms=3000", "--log-level=error",
          "--model=classify-language=" ATTENDANT_SOURCE_DIR "/models/classify-language", nullptr);
    _exit(127);
  }
  void Signal(int signal) const { kill(pid_, signal); }
  // The exit code, or minus the signal that ended it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int Stop(int signal) {
    Signal(signal);
    return Wait();
  }
  void WaitUntilServing() const {
    const auto stub = grpc::health::v1::Health::NewStub(Channel());
    for (const SteadyTime end = SteadyClock::now() + std::chrono::minutes(1); SteadyClock::now() < end;) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
      grpc::health::v1::HealthCheckResponse response;
      if (stub->Check(&context, {}, &response).ok() &&
          response.status() == grpc::health::v1::HealthCheckResponse::SERVING)
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    Die(absl::StrCat("the server on port ", port_, " does not come up"));
  }
  std::shared_ptr<grpc::Channel> Channel() const {
    return Connect(absl::StrCat("127.0.0.1:", port_), grpc::InsecureChannelCredentials());
  }
  int port() const { return port_; }

 private:
  const int port_;
  pid_t pid_ = 0;
};

std::vector<std::string> AnswersOf(const Replica& replica) {
  const auto stub = v1::ClassificationService::NewStub(replica.Channel());
  std::vector<std::string> answers(kNumTexts);
  for (int i = 0; i < kNumTexts; ++i) {
    const grpc::Status status = Ask(*stub, i, answers[static_cast<size_t>(i)]);
    if (!status.ok()) Die(absl::StrCat("no answer before the load: ", status.error_message()));
  }
  return answers;
}

struct Failure {
  SteadyTime begin;
  SteadyTime end;
  grpc::StatusCode code;
  std::string message;
};

// The requests: `rate` a second from sixteen threads that wait for their answers, until told to stop.
class Load {
 public:
  Load(const Options& options, const std::vector<std::string>& expected)
      : expected_(expected), interval_(std::chrono::nanoseconds(1'000'000'000 / options.rate)) {
    std::ifstream in(options.ca_file);
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = {std::istreambuf_iterator<char>(in), {}};
    for (int i = 0; i < kNumChannels; ++i) {
      channels_.push_back(Connect(options.proxy, grpc::SslCredentials(tls)));
      if (!channels_.back()->WaitForConnected(std::chrono::system_clock::now() + kDeadline))
        Die("cannot reach the proxy");
    }
    begin_ = SteadyClock::now();
    for (int i = 0; i < kNumChannels * kThreadsPerChannel; ++i) {
      threads_.emplace_back([this, i] { Run(channels_[static_cast<size_t>(i % kNumChannels)]); });
    }
  }
  ~Load() { Stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  int64_t sent() const { return next_; }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    if (!threads_.empty()) seconds_ = std::chrono::duration<double>(SteadyClock::now() - begin_).count();
    threads_.clear();
  }
  // What follows: after Stop.
  const std::vector<Failure>& failures() const { return failures_; }
  int64_t wrong() const { return wrong_; }
  double seconds() const { return seconds_; }
  int64_t answered() const { return static_cast<int64_t>(latencies_ms_.size()); }
  double LatencyMs(double quantile) {
    if (latencies_ms_.empty()) return 0;
    const size_t rank = static_cast<size_t>(quantile * static_cast<double>(latencies_ms_.size() - 1));
    std::nth_element(latencies_ms_.begin(), latencies_ms_.begin() + static_cast<std::ptrdiff_t>(rank),
                     latencies_ms_.end());
    return latencies_ms_[rank];
  }

 private:
  void Run(const std::shared_ptr<grpc::Channel>& channel) {
    const auto stub = v1::ClassificationService::NewStub(channel);
    while (!stop_) {
      const int64_t number = next_++;
      std::this_thread::sleep_until(begin_ + number * interval_);
      // Neighbours ask for different things.
      const int index = static_cast<int>(number * 7919 % kNumTexts);
      std::string essence;
      const SteadyTime begin = SteadyClock::now();
      const grpc::Status status = Ask(*stub, index, essence);
      Record(status, begin, essence == expected_[static_cast<size_t>(index)]);
    }
  }
  void Record(const grpc::Status& status, SteadyTime begin, bool is_expected) {
    const SteadyTime end = SteadyClock::now();
    const std::lock_guard lock(mutex_);
    if (!status.ok()) {
      failures_.push_back({begin, end, status.error_code(), status.error_message()});
      return;
    }
    latencies_ms_.push_back(std::chrono::duration<double, std::milli>(end - begin).count());
    if (!is_expected) ++wrong_;
  }

  const std::vector<std::string>& expected_;
  const std::chrono::nanoseconds interval_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  SteadyTime begin_;
  double seconds_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> next_ = 0;
  std::mutex mutex_;
  std::vector<Failure> failures_;  // Guarded by mutex_, as are ...
  std::vector<double> latencies_ms_;
  int64_t wrong_ = 0;
  std::vector<std::thread> threads_;
};

// Restarts the replicas in turn, spread over the requests.
class Restarts {
 public:
  Restarts(const Options& options, std::vector<std::unique_ptr<Replica>>& replicas, const Load& load)
      : options_(options), replicas_(replicas), load_(load) {}

  void Run() {
    for (int i = 0; i < options_.restarts; ++i) {
      const int64_t due = options_.requests * (i + 1) / (options_.restarts + 1);
      while (load_.sent() < due) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      RestartOne(*replicas_[static_cast<size_t>(i) % replicas_.size()]);
      std::this_thread::sleep_for(kSettle);
    }
    while (load_.sent() < options_.requests) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  int bad_exits() const { return bad_exits_; }
  double longest_seconds() const { return longest_seconds_; }

  // Whether the request was under way when some replica was killed.
  bool WasHit(const Failure& failure) const {
    return std::any_of(kills_.begin(), kills_.end(), [&](const Kill& kill) {
      return failure.begin <= kill.gone && kill.sent <= failure.end;
    });
  }

 private:
  // While the system takes the process apart its port still takes connections.
  struct Kill {
    SteadyTime sent;
    SteadyTime gone;
  };

  void RestartOne(Replica& replica) {
    const SteadyTime begin = SteadyClock::now();
    const int expected = options_.signal == SIGTERM ? 0 : -options_.signal;
    const int exit_code = replica.Stop(options_.signal);
    if (options_.signal == SIGKILL) kills_.push_back({begin, SteadyClock::now()});
    if (exit_code != expected) {
      ++bad_exits_;
      std::cerr << "the server on port " << replica.port() << " ended with " << exit_code << "\n";
    }
    replica.Start();
    replica.WaitUntilServing();
    const std::chrono::duration<double> took = SteadyClock::now() - begin;
    longest_seconds_ = std::max(longest_seconds_, took.count());
  }

  const Options& options_;
  std::vector<std::unique_ptr<Replica>>& replicas_;
  const Load& load_;
  std::vector<Kill> kills_;
  int bad_exits_ = 0;
  double longest_seconds_ = 0;
};

// Prints the table; whether the promise held.
bool Report(const Options& options, Load& load, const Restarts& restarts, int bad_exits) {
  std::map<std::string, int64_t> by_code;
  int64_t broken = 0;
  for (const Failure& failure : load.failures()) {
    const bool is_allowed = options.signal == SIGKILL && failure.code == grpc::StatusCode::UNAVAILABLE &&
                            restarts.WasHit(failure);
    ++by_code[absl::StrCat("code ", static_cast<int>(failure.code), is_allowed ? ", hit by a kill" : "")];
    if (is_allowed) continue;
    if (++broken <= 10) {
      std::cerr << "failed with code " << static_cast<int>(failure.code) << " after "
                << std::chrono::duration<double>(failure.end - failure.begin).count()
                << " s: " << failure.message << "\n";
    }
  }
  const char* const name = options.signal == SIGKILL ? "kill -9" : "SIGTERM";
  std::printf("%-34s %s\n", "replicas restarted by", name);
  std::printf("%-34s %d\n", "restarts", options.restarts);
  std::printf("%-34s %.2f s\n", "longest restart, until serving", restarts.longest_seconds());
  std::printf("%-34s %lld\n", "requests", static_cast<long long>(load.sent()));
  std::printf("%-34s %.0f /s for %.0f s\n", "answered", static_cast<double>(load.answered()) / load.seconds(),
              load.seconds());
  std::printf("%-34s %zu\n", "failed", load.failures().size());
  for (const auto& [code, count] : by_code) {
    std::printf("  %-32s %lld\n", code.c_str(), static_cast<long long>(count));
  }
  std::printf("%-34s %lld\n", "answers of another request, or wrong", static_cast<long long>(load.wrong()));
  std::printf("%-34s %d\n", "servers that did not end as told", bad_exits);
  std::printf("%-34s %.1f / %.1f / %.1f\n", "latency p50 / p99 / longest, ms", load.LatencyMs(0.5),
              load.LatencyMs(0.99), load.LatencyMs(1));
  const int64_t lost = load.sent() - load.answered() - static_cast<int64_t>(load.failures().size());
  const bool held = broken == 0 && lost == 0 && load.wrong() == 0 && bad_exits == 0;
  std::printf("%-34s %s\n", "the promise", held ? "held" : "BROKEN");
  return held;
}

int RunLoad(const Options& options) {
  std::vector<std::unique_ptr<Replica>> replicas;
  for (const int port : options.ports) replicas.push_back(std::make_unique<Replica>(port));
  for (const auto& replica : replicas) replica->WaitUntilServing();
  const std::vector<std::string> expected = AnswersOf(*replicas[0]);
  if (std::set<std::string>(expected.begin(), expected.end()).size() != expected.size())
    Die("two texts have one answer: mixed ones would not be seen");
  for (const auto& replica : replicas) {
    if (AnswersOf(*replica) != expected) Die("the replicas answer differently");
  }
  Load load(options, expected);
  Restarts restarts(options, replicas, load);
  restarts.Run();
  load.Stop();
  int bad_exits = restarts.bad_exits();
  for (const auto& replica : replicas) bad_exits += replica->Stop(SIGTERM) == 0 ? 0 : 1;
  return Report(options, load, restarts, bad_exits) ? 0 : 1;
}

// Below those that the system gives to clients: a connection must not sit on the port of a server that is
// away.
int PrintFreePorts(int count) {
  std::mt19937 random(std::random_device{}());
  std::set<int> ports;
  while (static_cast<int>(ports.size()) < count) {
    const int port = std::uniform_int_distribution<int>(20'000, 32'000)(random);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) ports.insert(port);
    close(fd);
  }
  for (const int port : ports) std::cout << port << "\n";
  return 0;
}

template <typename Number>
void Read(absl::string_view value, absl::string_view flag, Number& number) {
  if (!absl::SimpleAtoi(value, &number) || number < 0) Die(absl::StrCat(flag, " needs a number"));
}

void Read(absl::string_view flag, Options& options) {
  absl::string_view value = flag;
  if (absl::ConsumePrefix(&value, "--proxy=")) {
    options.proxy = std::string(value);
  } else if (absl::ConsumePrefix(&value, "--ca=")) {
    options.ca_file = std::string(value);
  } else if (absl::ConsumePrefix(&value, "--ports=")) {
    for (absl::string_view port : absl::StrSplit(value, ',')) Read(port, flag, options.ports.emplace_back());
  } else if (absl::ConsumePrefix(&value, "--requests=")) {
    Read(value, flag, options.requests);
  } else if (absl::ConsumePrefix(&value, "--restarts=")) {
    Read(value, flag, options.restarts);
  } else if (absl::ConsumePrefix(&value, "--rate=")) {
    Read(value, flag, options.rate);
  } else if (value == "--signal=KILL") {
    options.signal = SIGKILL;
  } else if (value != "--signal=TERM") {
    Die(absl::StrCat(flag, ": there is no such flag; see the top of rolling_restart.cc"));
  }
}

int Main(const std::vector<std::string>& args) {
  Options options;
  for (absl::string_view arg : args) {
    int free_ports = 0;
    if (absl::string_view value = arg; absl::ConsumePrefix(&value, "--free-ports=")) {
      Read(value, arg, free_ports);
      return PrintFreePorts(free_ports);
    }
    Read(arg, options);
  }
  if (options.proxy.empty() || options.ca_file.empty() || options.ports.size() < 2 || options.rate == 0)
    Die("--proxy, --ca and two --ports are needed; see the top of rolling_restart.cc");
  return RunLoad(options);
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  return attendant::Main(std::vector<std::string>(argv + 1, argv + argc));
}
