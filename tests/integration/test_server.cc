#include "tests/integration/test_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace attendant {
namespace {

using grpc::health::v1::HealthCheckResponse;

std::string HttpGet(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request =
        absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, got);
  }
  close(fd);
  return answer;
}

config::Logging QuietLog() {
  config::Logging options;
  options.set_level(config::Logging::ERROR);
  return options;
}

}  // namespace

config::ServerConfig TestConfig() {
  config::ServerConfig config;
  config.set_listen_address("127.0.0.1:0");
  config.set_metrics_address("127.0.0.1:0");
  config.mutable_lifecycle()->set_drain_grace_ms(0);
  config.mutable_engine()->set_kv_cache_bytes(64 << 20);
  config.mutable_limits()->set_default_deadline_ms(0);  // Sanitizers are slow.
  config::ModelConfig& model = *config.add_model();
  model.set_name(kModel);
  model.set_path(absl::StrCat(ATTENDANT_SOURCE_DIR, "/models/", kModel));
  return config;
}

TestServer::TestServer(const config::ServerConfig& config) : log_(QuietLog()) {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(config, log_);
  if (!server.ok()) throw std::runtime_error(std::string(server.status().message()));
  server_ = *std::move(server);
  channel_ = Connect(server_->grpc_port());
  if (!WaitUntilServing(channel_)) throw std::runtime_error("the test server does not come up");
}

TestServer& TestServer::Shared() {
  static TestServer server;
  return server;
}

grpc::Status TestServer::Translate(const v1::TranslateRequest& request,
                                   v1::TranslateResponse& response) const {
  grpc::ClientContext context;
  return Translation()->Translate(&context, request, &response);
}

std::string TestServer::Scrape() const {
  return ScrapeMetrics(server_->metrics_port());
}

double TestServer::Metric(const std::string& name, const std::string& labels) const {
  return MetricIn(Scrape(), name, labels);
}

bool TestServer::Eventually(const std::function<bool()>& is_true) const {
  return BecomesTrue(is_true);
}

std::string ScrapeMetrics(int port) {
  return HttpGet(port, "/metrics");
}

double MetricIn(const std::string& scrape, const std::string& name, const std::string& labels) {
  const std::vector<std::string> wanted = absl::StrSplit(labels, ',', absl::SkipEmpty());
  double sum = 0;
  for (absl::string_view line : absl::StrSplit(scrape, '\n')) {
    const size_t name_end = line.find_first_of("{ ");
    if (name_end == absl::string_view::npos || line.substr(0, name_end) != name) continue;
    bool fits = true;
    for (const std::string& label : wanted) fits = fits && absl::StrContains(line, label);
    double value = 0;
    if (fits && absl::SimpleAtod(absl::StripAsciiWhitespace(line.substr(line.rfind(' ') + 1)), &value))
      sum += value;
  }
  return sum;
}

bool BecomesTrue(const std::function<bool()>& is_true) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    if (is_true()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

std::shared_ptr<grpc::Channel> Connect(int port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // A connection of its own.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(),
                                   arguments);
}

bool WaitUntilServing(const std::shared_ptr<grpc::Channel>& channel) {
  const auto stub = grpc::health::v1::Health::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  context.set_wait_for_ready(true);
  const auto reader = stub->Watch(&context, {});
  HealthCheckResponse response;
  while (reader->Read(&response)) {
    if (response.status() != HealthCheckResponse::SERVING) continue;
    context.TryCancel();
    reader->Finish();
    return true;
  }
  return false;
}

v1::TranslateRequest Request(const std::string& text) {
  v1::TranslateRequest request;
  request.add_contents(text);
  return request;
}

std::string LongText(int sentences) {
  const char* subjects[] = {"The old man", "A young woman", "My neighbour", "Nobody", "The teacher"};
  const char* verbs[] = {"reads", "writes", "sells", "finds", "forgets", "buys", "needs"};
  const char* objects[] = {"a book",     "the letter", "three houses", "his keys",
                           "some bread", "the map",    "a car"};
  std::string text;
  for (int i = 0; i < sentences; ++i) {
    absl::StrAppend(&text, subjects[i % 5], " ", verbs[i / 5 % 7], " ", objects[i / 35 % 7], " on day ", i,
                    ". ");
  }
  return text;
}

std::string Essence(v1::TranslateResponse response) {
  response.clear_timing();
  for (v1::Translation& translation : *response.mutable_translations()) translation.clear_timing();
  return response.SerializeAsString();
}

void ExpectGoodAnswer(const TestServer& server) {
  v1::TranslateRequest request = Request("The weather is nice today. Where is the station?");
  request.mutable_options()->set_return_token_scores(true);
  const auto ask = [&](const TestServer& asked) {
    v1::TranslateResponse response;
    const grpc::Status status = asked.Translate(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return Essence(response);
  };
  static const std::string expected = ask(TestServer::Shared());
  EXPECT_EQ(ask(server), expected);
}

}  // namespace attendant
