// What the server costs over the engine: the same sentences through both, taking turns.
//
//   server_bench MODEL_DIR TEXT [ROUNDS]    TEXT: sentences, one a line; ROUNDS: 5 unless said
//
// Prints for 1, 8 and 64 requests at once, greedy and beam 4: tokens per second and median latency of the
// engine alone and of the server with a gRPC client in this process over loopback, and the median of the
// rounds' ratios (server over engine).
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "attendant/v1/translation_service.grpc.pb.h"
#include "engine/base/cpu_budget.h"
#include "engine/models/marian_config.h"
#include "engine/models/registry.h"
#include "engine/text/marian_tokenizer.h"
#include "server/server.h"
#include "tests/bench/closed_loop.h"
#include "tests/bench/or_die.h"

namespace attendant {
namespace {

struct Figures {
  double tokens_per_second = 0;
  double median_ms = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Keeps `concurrency` calls of one sentence each outstanding.
class ClientLoop {
 public:
  ClientLoop(v1::TranslationService::Stub& stub, const std::vector<std::string>& lines, int beam)
      : stub_(stub), lines_(lines), beam_(beam) {}

  Figures Run(int concurrency) {
    const TimePoint begin = Clock::Real().Now();
    for (int i = 0; i < concurrency; ++i) CallNext();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return latencies_ms_.size() == lines_.size(); });
    const std::chrono::duration<double> took = Clock::Real().Now() - begin;
    return {static_cast<double>(tokens_) / took.count(), Median(latencies_ms_)};
  }

 private:
  struct Call {
    grpc::ClientContext context;
    v1::TranslateRequest request;
    v1::TranslateResponse response;
    TimePoint begin;
  };

  void CallNext() {
    size_t index;
    {
      const std::lock_guard lock(mutex_);
      if (next_ == lines_.size()) return;
      index = next_++;
    }
    auto* call = new Call;
    call->request.add_contents(lines_[index]);
    call->request.mutable_options()->set_beam_size(beam_);
    call->begin = Clock::Real().Now();
    stub_.async()->Translate(&call->context, &call->request, &call->response,
                             [this, call](const grpc::Status& status) { Finish(call, status); });
  }

  void Finish(Call* call, const grpc::Status& status) {
    const std::unique_ptr<Call> owned(call);
    if (!status.ok()) {
      std::cerr << "server_bench: " << status.error_message() << "\n";
      std::exit(1);
    }
    CallNext();
    const std::chrono::duration<double, std::milli> took = Clock::Real().Now() - call->begin;
    const std::lock_guard lock(mutex_);
    constexpr int kEndToken = 1;  // The engine's figure counts it.
    tokens_ += call->response.output_tokens() + kEndToken;
    latencies_ms_.push_back(took.count());
    if (latencies_ms_.size() == lines_.size()) done_.notify_one();
  }

  v1::TranslationService::Stub& stub_;
  const std::vector<std::string>& lines_;
  const int beam_;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable done_;
  size_t next_ = 0;
  int64_t tokens_ = 0;
  std::vector<double> latencies_ms_;
};

config::ServerConfig ServerConfigOf(const char* model_dir) {
  config::ServerConfig config;
  config.set_listen_address("127.0.0.1:0");
  config.set_metrics_address("");
  config.mutable_lifecycle()->set_drain_grace_ms(0);
  config.add_model()->set_name("model");
  config.mutable_model(0)->set_path(model_dir);
  return config;
}

class Bench {
 public:
  Bench(const char* model_dir, std::vector<std::string> lines)
      : lines_(std::move(lines)),
        model_(OrDie(LoadSeq2Seq(model_dir))),
        config_(OrDie(LoadMarianConfig(model_dir))),
        server_(OrDie(Server::Start(ServerConfigOf(model_dir), log_))),
        stub_(v1::TranslationService::NewStub(grpc::CreateChannel(
            absl::StrCat("127.0.0.1:", server_->grpc_port()), grpc::InsecureChannelCredentials()))) {
    const auto tokenizer = OrDie(LoadMarianTokenizer(model_dir));
    for (const std::string& line : lines_) {
      sources_.push_back(tokenizer->Encode(line));
      sources_.back().push_back(tokenizer->eos_id());
    }
    while (!TranslateOne().ok()) {  // Until the model is loaded.
    }
  }

  void Compare(int concurrency, int beam, int rounds) {
    std::vector<double> ratios, extra_ms, engine_tokens, server_tokens;
    for (int round = 0; round < rounds; ++round) {
      const Figures engine = RunEngine(concurrency, beam);
      const Figures server = ClientLoop(*stub_, lines_, beam).Run(concurrency);
      ratios.push_back(server.tokens_per_second / engine.tokens_per_second);
      extra_ms.push_back(server.median_ms - engine.median_ms);
      engine_tokens.push_back(engine.tokens_per_second);
      server_tokens.push_back(server.tokens_per_second);
    }
    std::printf("%11d %5d %12.0f %12.0f %8.3f  (%.3f to %.3f) %14.2f\n", concurrency, beam,
                Median(engine_tokens), Median(server_tokens), Median(ratios),
                *std::min_element(ratios.begin(), ratios.end()),
                *std::max_element(ratios.begin(), ratios.end()), Median(extra_ms));
    std::fflush(stdout);
  }

 private:
  grpc::Status TranslateOne() {
    grpc::ClientContext context;
    v1::TranslateRequest request;
    v1::TranslateResponse response;
    request.add_contents(lines_.front());
    return stub_->Translate(&context, request, &response);
  }

  Figures RunEngine(int concurrency, int beam) const {
    LoadSpec spec;
    spec.concurrency = concurrency;
    spec.num_workers = DetectCpuBudget().num_cpus;
    spec.decoding.beam_size = beam;
    spec.decoding.end_tokens = config_.tokens.eos;
    spec.decoding.start_token = config_.tokens.decoder_start;
    spec.decoding.suppress_sequences = {{config_.tokens.pad}};
    const LoadResult result = RunClosedLoop(*model_, sources_, spec);
    return {result.tokens_per_second(), result.latency_ms(0.5)};
  }

  const std::vector<std::string> lines_;
  std::vector<std::vector<int32_t>> sources_;
  const std::unique_ptr<Seq2Seq> model_;
  const MarianConfig config_;
  const Logger log_{[] {
    config::Logging quiet;
    quiet.set_level(config::Logging::ERROR);
    return quiet;
  }()};
  const std::unique_ptr<Server> server_;
  const std::unique_ptr<v1::TranslationService::Stub> stub_;
};

std::vector<std::string> ReadLines(const char* path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

int Main(int argc, char** argv) {
  const std::vector<std::string> lines = argc > 2 ? ReadLines(argv[2]) : std::vector<std::string>();
  if (lines.empty()) {
    std::cerr << "usage: server_bench MODEL_DIR TEXT [ROUNDS]\n";
    return 2;
  }
  constexpr int kRounds = 5;
  const int rounds = argc > 3 ? std::max(1, std::atoi(argv[3])) : kRounds;
  Bench bench(argv[1], lines);
  std::printf("%11s %5s %12s %12s %8s  %16s %14s\n", "concurrency", "beam", "engine tok/s", "server tok/s",
              "ratio", "(spread)", "added p50 ms");
  for (const int beam : {1, 4}) {
    for (const int concurrency : {1, 8, 64}) bench.Compare(concurrency, beam, rounds);
  }
  return 0;
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  return attendant::Main(argc, argv);
}
