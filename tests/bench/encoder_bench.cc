// How fast the engine runs encoders of text and of images, without the server, tokeniser and image decoder:
// inputs per second and latency at several loads, and the share of what all cores multiply at best in the
// same run.
//
//   encoder_bench MODEL_DIR             a table: texts of 16, 128 and 512 tokens, 1 and 64 at once; images 1
//                                       and 8 at once
//   encoder_bench MODEL_DIR --commands  reads "run TOKENS CONCURRENCY COUNT" and "write TOKENS FILE" lines
//                                       (TOKENS 0: images), answers each with a line of JSON; FILE receives
//                                       input 0's answer as float32: for comparisons that take turns with
//                                       peers (tests/bench/compare_encoders.py)
//
// Models of full size with random weights: tests/golden/make_encoder_golden.py.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "tests/bench/encoder_loop.h"
#include "tests/bench/encoder_subject.h"
#include "tests/bench/matmul_peak.h"
#include "tests/bench/or_die.h"

namespace attendant {
namespace {

struct Measured {
  EncoderLoadResult result;
  double gflops;
  double share_of_peak;  // Of all cores, also where one input keeps only one of them busy.
};

Measured Measure(const EncoderSubject& subject, EncoderLoop& loop, const EncoderLoad& load) {
  const double peak = MeasureMatmulPeak(loop.num_workers());
  EncoderLoadResult result = loop.Run(load);
  const double gflops = subject.Operations(load.tokens) * result.inputs_per_second() / 1e9;
  return {std::move(result), gflops, gflops / peak};
}

// So many inputs that a run takes about a second, in whole rounds.
int64_t CountForOneSecond(EncoderLoop& loop, EncoderLoad load) {
  load.count = load.concurrency;
  loop.Run(load);  // Warm: kernels compiled, workspaces grown.
  const double rate = loop.Run(load).inputs_per_second();
  return load.concurrency * std::max<int64_t>(1, std::llround(rate / load.concurrency));
}

void PrintTable(const EncoderSubject& subject, EncoderLoop& loop) {
  std::printf("%d workers\n", loop.num_workers());
  std::printf("%7s %11s %10s %9s %9s %13s %9s %8s\n", "tokens", "concurrency", "inputs/s", "p50 ms", "p95 ms",
              "inputs/batch", "GFLOP/s", "of peak");
  for (const int32_t tokens : subject.Lengths()) {
    for (const int concurrency : subject.Concurrencies()) {
      EncoderLoad load{tokens, concurrency, concurrency};
      load.count = CountForOneSecond(loop, load);
      const Measured m = Measure(subject, loop, load);
      std::printf("%7d %11d %10.1f %9.2f %9.2f %13.1f %9.1f %7.0f%%\n", tokens, concurrency,
                  m.result.inputs_per_second(), m.result.latency_ms(0.5), m.result.latency_ms(0.95),
                  m.result.inputs_per_batch(), m.gflops, 100 * m.share_of_peak);
      std::fflush(stdout);
    }
  }
}

void AnswerRun(const EncoderSubject& subject, EncoderLoop& loop, const EncoderLoad& load) {
  const Measured m = Measure(subject, loop, load);
  std::printf(
      "{\"inputs_per_s\": %.3f, \"p50_ms\": %.4f, \"p95_ms\": %.4f, \"share_of_peak\": %.4f, "
      "\"inputs_per_batch\": %.2f}\n",
      m.result.inputs_per_second(), m.result.latency_ms(0.5), m.result.latency_ms(0.95), m.share_of_peak,
      m.result.inputs_per_batch());
}

void AnswerWrite(EncoderLoop& loop, int32_t tokens, const std::string& path) {
  const std::vector<float> output = loop.Run({tokens, 1, 1}).first_output;
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(output.data()),
             static_cast<std::streamsize>(output.size() * sizeof(float)));
  std::printf("{\"floats\": %zu, \"is_written\": %s}\n", output.size(), file.flush() ? "true" : "false");
}

// Whether the engine can run it: what it cannot would end the program with no answer.
bool IsPossible(const EncoderSubject& subject, int32_t tokens) {
  const std::vector<int32_t> lengths = subject.Lengths();
  const int32_t longest = lengths.back();
  return longest == 0 ? tokens == 0 : tokens >= 1 && tokens <= longest;
}

void AnswerCommands(const EncoderSubject& subject, EncoderLoop& loop) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, path;
    EncoderLoad load;
    words >> command >> load.tokens;
    if (command == "write" && words >> path && IsPossible(subject, load.tokens)) {
      AnswerWrite(loop, load.tokens, path);
    } else if (command == "run" && words >> load.concurrency >> load.count && load.concurrency > 0 &&
               load.count >= load.concurrency && IsPossible(subject, load.tokens)) {
      AnswerRun(subject, loop, load);
    } else {
      std::printf("{\"error\": \"not a command of this model\"}\n");
    }
    std::fflush(stdout);
  }
}

int Main(int argc, char** argv) {
  const bool takes_commands = argc == 3 && std::string(argv[2]) == "--commands";
  if (argc < 2 || (argc > 2 && !takes_commands)) {
    std::cerr << "usage: encoder_bench MODEL_DIR [--commands]\n";
    return 2;
  }
  const std::unique_ptr<EncoderSubject> subject = OrDie(LoadEncoderSubject(argv[1]));
  EncoderLoop loop(*subject);
  if (takes_commands) {
    AnswerCommands(*subject, loop);
  } else {
    PrintTable(*subject, loop);
  }
  return 0;
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  return attendant::Main(argc, argv);
}
