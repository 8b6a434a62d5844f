// How two models of one server share the cores.
//
//   fairness_bench HEAVY_DIR LIGHT_DIR TEXT [SECONDS] [SERVER]
//
// HEAVY_DIR: a translation model; LIGHT_DIR: a text classifier; TEXT: sentences, one a line; SECONDS: of each
// phase, 5 unless said; SERVER: the attendant-server that is measured, this build's unless said. Prints the
// latency of short classifications that come one at a time, alone and beside translations (beam 4) that keep
// all cores busy; and, with both at saturation, the parts that the server says they had, by weight (left out
// for a server that knows no weights).
#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "attendant/v1/model_service.grpc.pb.h"
#include "attendant/v1/translation_service.grpc.pb.h"

namespace attendant {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "fairness_bench: " << why << "\n";
  std::exit(1);
}

struct Setup {
  std::string heavy_dir, light_dir, server = ATTENDANT_BINARY_DIR "/attendant-server";
  std::vector<std::string> lines;
  double seconds = 5;
};

// A server process with both models; gone at the end.
class ServerUnderTest {
 public:
  // A weight of 0 is not written.
  ServerUnderTest(const Setup& setup, int heavy_weight, int light_weight) {
    std::filesystem::remove(port_path_);
    std::ofstream config(config_path_);
    config << "listen_address: \"127.0.0.1:0\" metrics_address: \"127.0.0.1:0\"\n"
           << "lifecycle { drain_grace_ms: 0 } logging { level: ERROR }\n"
           << ModelText("heavy", setup.heavy_dir, heavy_weight)
           << ModelText("light", setup.light_dir, light_weight);
    config.close();
    pid_ = fork();
    if (pid_ == 0) {
      const std::string config_flag = absl::StrCat("--config=", config_path_);
      const std::string port_flag = absl::StrCat("--port-file=", port_path_);
      execl(setup.server.c_str(), setup.server.c_str(), config_flag.c_str(), port_flag.c_str(), nullptr);
      _exit(127);
    }
    channel_ =
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", Port("grpc")), grpc::InsecureChannelCredentials());
    AwaitModels();
  }
  ~ServerUnderTest() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // attendant_core_seconds_total of the model.
  double CoreSeconds(const std::string& model) const {
    const std::string wanted = absl::StrCat("attendant_core_seconds_total{model=\"", model, "\"} ");
    for (absl::string_view line : absl::StrSplit(Scrape(), '\n')) {
      double value = 0;
      if (absl::ConsumePrefix(&line, wanted) && absl::SimpleAtod(absl::StripAsciiWhitespace(line), &value))
        return value;
    }
    return 0;
  }

 private:
  static std::string ModelText(const char* name, const std::string& dir, int weight) {
    const std::string path = std::filesystem::absolute(dir).string();
    return absl::StrCat("model { name: \"", name, "\" path: \"", path, "\" ",
                        weight > 0 ? absl::StrCat("weight: ", weight) : "", " }\n");
  }

  int Port(const std::string& wanted) const {
    for (int i = 0; i < 12'000; ++i) {
      std::ifstream in(port_path_);
      std::string name;
      int port = 0;
      while (in >> name >> port) {
        if (name == wanted) return port;
      }
      if (waitpid(pid_, nullptr, WNOHANG) != 0) Die("the server ended");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    Die("the server does not come up");
  }

  void AwaitModels() const {
    const auto stub = v1::ModelService::NewStub(channel_);
    for (int i = 0; i < 6'000; ++i) {
      grpc::ClientContext context;
      v1::ListModelsResponse response;
      int ready = 0;
      if (stub->ListModels(&context, {}, &response).ok()) {
        for (const v1::Model& model : response.models()) ready += model.state() == v1::Model::READY;
      }
      if (ready == 2) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    Die("the models do not load");
  }

  std::string Scrape() const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(Port("metrics")));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Die("no metrics");
    constexpr absl::string_view kGet =
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (send(fd, kGet.data(), kGet.size(), 0) < 0) Die("no metrics");
    std::string answer;
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    close(fd);
    return answer;
  }

  const std::filesystem::path dir_ =
      std::filesystem::temp_directory_path() / absl::StrCat("fairness_bench_", getpid());
  const bool made_ = std::filesystem::create_directories(dir_);
  const std::string config_path_ = (dir_ / "config.txt").string();
  const std::string port_path_ = (dir_ / "ports").string();
  pid_t pid_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
};

// Threads that call over and over until it goes out of scope.
class Load {
 public:
  Load(int threads, const std::function<grpc::Status(int call)>& call) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, call, i] {
        for (int number = i; !stop_; number += 17) {
          const grpc::Status status = call(number);
          if (!status.ok()) Die(status.error_message());
          ++calls_;
        }
      });
    }
  }
  ~Load() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  int64_t calls() const { return calls_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> calls_ = 0;
  std::vector<std::thread> threads_;
};

class Bench {
 public:
  Bench(const Setup& setup, int heavy_weight, int light_weight)
      : setup_(setup),
        server_(setup, heavy_weight, light_weight),
        translation_(v1::TranslationService::NewStub(server_.channel())),
        classification_(v1::ClassificationService::NewStub(server_.channel())) {}

  // A sentence a call, as many calls at once as threads.
  std::unique_ptr<Load> StartTranslations() {
    return std::make_unique<Load>(64, [this](int number) {
      grpc::ClientContext context;
      v1::TranslateRequest request;
      v1::TranslateResponse response;
      request.set_model("heavy");
      request.mutable_options()->set_beam_size(4);
      request.add_contents(Line(number));
      return translation_->Translate(&context, request, &response);
    });
  }
  std::unique_ptr<Load> StartClassifications() {
    return std::make_unique<Load>(8, [this](int number) { return Classify(number, 64); });
  }

  // Milliseconds of short classifications one after the other, with a pause between, ascending.
  std::vector<double> ShortCalls() {
    std::vector<double> times;
    const auto end = Clock::now() + std::chrono::duration<double>(setup_.seconds);
    for (int number = 0; Clock::now() < end; ++number) {
      const auto begin = Clock::now();
      if (const grpc::Status status = Classify(number, 1); !status.ok()) Die(status.error_message());
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::sort(times.begin(), times.end());
    return times;
  }

  void Sleep() const { std::this_thread::sleep_for(std::chrono::duration<double>(setup_.seconds)); }
  const ServerUnderTest& server() const { return server_; }

 private:
  const std::string& Line(int number) const {
    return setup_.lines[static_cast<size_t>(number) % setup_.lines.size()];
  }
  grpc::Status Classify(int number, int texts) {
    grpc::ClientContext context;
    v1::ClassifyTextRequest request;
    v1::ClassifyTextResponse response;
    request.set_model("light");
    for (int i = 0; i < texts; ++i) request.add_texts(Line(number * texts + i));
    return classification_->ClassifyText(&context, request, &response);
  }

  const Setup& setup_;
  ServerUnderTest server_;
  std::unique_ptr<v1::TranslationService::Stub> translation_;
  std::unique_ptr<v1::ClassificationService::Stub> classification_;
};

void PrintLatency(const char* when, const std::vector<double>& times) {
  const auto at = [&](double quantile) {
    return times[static_cast<size_t>(quantile * static_cast<double>(times.size() - 1))];
  };
  std::printf("%-28s %6zu %8.2f %8.2f %8.2f\n", when, times.size(), at(0.5), at(0.99), times.back());
  std::fflush(stdout);
}

void MeasureLatency(const Setup& setup) {
  constexpr int kNotWritten = 0;
  Bench bench(setup, kNotWritten, kNotWritten);
  bench.ShortCalls();  // Warm.
  std::printf("%-28s %6s %8s %8s %8s\n", "short classifications", "calls", "p50 ms", "p99 ms", "max ms");
  PrintLatency("alone", bench.ShortCalls());
  const auto load = bench.StartTranslations();
  bench.Sleep();
  const int64_t before = load->calls();
  PrintLatency("beside translations", bench.ShortCalls());
  std::printf("translated meanwhile: %.0f sentences/s\n",
              static_cast<double>(load->calls() - before) / setup.seconds);
}

void MeasureParts(const Setup& setup, int heavy_weight, int light_weight) {
  Bench bench(setup, heavy_weight, light_weight);
  const auto heavy = bench.StartTranslations();
  const auto light = bench.StartClassifications();
  bench.Sleep();
  const double heavy_before = bench.server().CoreSeconds("heavy");
  const double light_before = bench.server().CoreSeconds("light");
  const int64_t heavy_calls = heavy->calls(), light_calls = light->calls();
  bench.Sleep();
  const double heavy_time = bench.server().CoreSeconds("heavy") - heavy_before;
  const double light_time = bench.server().CoreSeconds("light") - light_before;
  std::printf("%4d : %-4d %9.2f : %-9.2f %7.2f %12.0f %12.0f\n", heavy_weight, light_weight, heavy_time,
              light_time, light_time > 0 ? heavy_time / light_time : 0,
              static_cast<double>(heavy->calls() - heavy_calls) / setup.seconds,
              64 * static_cast<double>(light->calls() - light_calls) / setup.seconds);
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  Setup setup;
  if (argc < 4) {
    std::cerr << "usage: fairness_bench HEAVY_DIR LIGHT_DIR TEXT [SECONDS] [SERVER]\n";
    return 2;
  }
  setup.heavy_dir = argv[1];
  setup.light_dir = argv[2];
  std::ifstream text(argv[3]);
  for (std::string line; std::getline(text, line);) {
    if (!line.empty()) setup.lines.push_back(line);
  }
  if (setup.lines.empty()) Die(absl::StrCat(argv[3], " has no lines"));
  if (argc > 4) setup.seconds = std::atof(argv[4]);
  if (argc > 5) setup.server = argv[5];
  MeasureLatency(setup);
  if (argc > 5) return 0;
  std::printf("%-11s %21s %7s %12s %12s\n", "weights", "core seconds", "ratio", "sentences/s",
              "classified/s");
  for (const auto& [heavy, light] : {std::pair(100, 100), std::pair(300, 100), std::pair(100, 300)}) {
    MeasureParts(setup, heavy, light);
  }
  return 0;
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  return attendant::Main(argc, argv);
}
