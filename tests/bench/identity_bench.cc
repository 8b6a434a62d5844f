// What it costs to ask who calls.
//
//   identity_bench [ROUNDS]    5 unless said
//
// Prints the time of the check itself, with 1 and 1,000 keys; and the median over rounds, taking turns, of
// the median time of a ListModels call over loopback: open, with a key, over TLS, over TLS with a key.
#include <prometheus/registry.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "attendant/v1/model_service.grpc.pb.h"
#include "server/auth/key_ring.h"
#include "tests/integration/identity_fixture.h"

namespace attendant {
namespace {

double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double MicrosecondsSince(TimePoint begin) {
  return std::chrono::duration<double, std::micro>(Clock::Real().Now() - begin).count();
}

std::string ManyKeys(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text +=
        KeyEntryText(absl::StrCat("k", i), "role: INFER requests_per_second: 1000000 max_concurrent: 100");
  }
  return text;
}

double CheckMicroseconds(int keys) {
  prometheus::Registry registry;
  AuthMetrics metrics(registry);
  KeyRing ring(metrics, Clock::Real());
  ring.Replace(*ParseKeyFile(ManyKeys(keys), "bench"));
  constexpr int kChecks = 200'000;
  const std::string key = KeyOf(absl::StrCat("k", keys / 2));
  int admitted = 0;
  const TimePoint begin = Clock::Real().Now();
  for (int i = 0; i < kChecks; ++i) {
    CallerCredentials credentials;
    credentials.key = key;
    if (ring.Admit(Access::kInfer, credentials).ok()) ++admitted;
  }
  const double took = MicrosecondsSince(begin) / kChecks;
  std::printf("check, %4d keys: %.3f us (%d of %d admitted)\n", keys, took, admitted, kChecks);
  return took;
}

// One way to call: a server set up so, and a channel to it.
struct Way {
  std::string name;
  std::unique_ptr<IdentityServer> server;
  std::unique_ptr<v1::ModelService::Stub> stub;
  bool sends_key;
  std::vector<double> medians = {};

  void Run() {
    std::vector<double> times;
    for (int i = 0; i < 3000; ++i) {
      grpc::ClientContext context;
      if (sends_key) context.AddMetadata("authorization", "Bearer " + KeyOf("k500"));
      v1::ListModelsResponse response;
      const TimePoint begin = Clock::Real().Now();
      if (!stub->ListModels(&context, {}, &response).ok()) std::abort();
      times.push_back(MicrosecondsSince(begin));
    }
    medians.push_back(MedianOf(std::move(times)));
  }
};

int Main(int rounds) {
  for (const int keys : {1, 1000}) CheckMicroseconds(keys);
  IdentityFiles files;
  files.WriteKeys(ManyKeys(1000));
  std::vector<Way> ways;
  for (const bool has_tls : {false, true}) {
    for (const bool has_key : {false, true}) {
      config::ServerConfig config = IdentityConfig();
      if (has_tls) config = files.WithTls(std::move(config));
      if (has_key) config = files.WithKeys(std::move(config));
      auto server = std::make_unique<IdentityServer>(config);
      const Connection connection = {has_tls ? files.ca().pem : ""};
      auto stub = v1::ModelService::NewStub(ConnectSecurely(server->server().grpc_port(), connection));
      ways.push_back({absl::StrCat(has_tls ? "TLS" : "clear", has_key ? ", key" : ""), std::move(server),
                      std::move(stub), has_key});
    }
  }
  for (Way& way : ways) way.Run();  // Connections, caches.
  for (Way& way : ways) way.medians.clear();
  for (int round = 0; round < rounds; ++round) {
    for (Way& way : ways) way.Run();
  }
  for (const Way& way : ways) std::printf("%-12s %.1f us a call\n", way.name.c_str(), MedianOf(way.medians));
  return 0;
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  return attendant::Main(argc > 1 ? std::atoi(argv[1]) : 5);
}
