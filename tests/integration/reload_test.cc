// Models that come, change and go while a real server answers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "attendant/v1/admin_service.grpc.pb.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "tests/integration/test_server.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

std::string BytesOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Rewrite(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// A repository with variants of classify-language: "old" as it ships, "new" whose labels are in capitals, and
// broken ones. The model "language" is a link to one of them, which is turned in one step.
class ReloadTest : public testing::Test {
 protected:
  ReloadTest() {
    for (const char* name : {"old", "new", "truncated", "lying", "infinite"}) {
      fs::copy(absl::StrCat(ATTENDANT_SOURCE_DIR, "/models/classify-language"), Variant(name));
      fs::remove(Variant(name) / "SHA256SUMS");
    }
    const fs::path config = Variant("new") / "config.json";
    Rewrite(config,
            absl::StrReplaceAll(
                BytesOf(config),
                {{"\"de\"", "\"DE\""}, {"\"en\"", "\"EN\""}, {"\"es\"", "\"ES\""}, {"\"fr\"", "\"FR\""}}));
    fs::resize_file(Variant("truncated") / "model.safetensors", 100'000);
    Rewrite(Variant("lying") / "config.json",
            absl::StrReplaceAll(BytesOf(Variant("lying") / "config.json"),
                                {{"\"hidden_size\": 1", "\"hidden_size\": 2"}}));
    MakeInfinite(Variant("infinite") / "model.safetensors");
    Turn("old");
  }

  fs::path Variant(const std::string& name) const { return dir_.path() / (".store-" + name); }
  void Turn(const std::string& variant) const {
    const fs::path link = dir_.path() / ".link";
    fs::create_directory_symlink(Variant(variant), link);
    fs::rename(link, dir_.path() / "language");
  }
  // Its last weights, half precision, become NaN.
  static void MakeInfinite(const fs::path& file) {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    constexpr int kBytes = 4096;
    out.seekp(-kBytes, std::ios::end);
    out << std::string(kBytes, '\x7f');
  }
  config::ServerConfig Config(int poll_ms) const {
    config::ServerConfig config = TestConfig();
    config.clear_model();
    config.set_models_dir(dir_.path());
    config.mutable_repository()->set_poll_ms(poll_ms);
    config::ModelConfig& model = *config.add_model();
    model.set_name("language");
    model.set_path(dir_.path() / "language");
    return config;
  }

  TempDir dir_;
};

// What has no end after so long has none.
constexpr std::chrono::minutes kHangs(1);

// What an answer with several texts is: all its labels from one variant, and the right ones.
std::string VariantOf(const v1::ClassifyTextResponse& response) {
  std::string labels;
  for (const v1::TextClassification& result : response.classifications()) {
    absl::StrAppend(&labels, result.labels(0).name(), " ");
  }
  if (labels == "en de fr ") return "old";
  if (labels == "EN DE FR ") return "new";
  return absl::StrCat("a mixture: ", labels);
}

v1::ClassifyTextRequest ThreeTexts() {
  v1::ClassifyTextRequest request;
  request.set_model("language");
  request.add_texts("Where did you buy this book?");
  request.add_texts("Wo hast du dieses Buch gekauft?");
  request.add_texts("Je voudrais un café, s'il vous plaît.");
  return request;
}

// Threads that ask without a pause and keep what came of it: the variants, codes and messages.
class Askers {
 public:
  Askers(const TestServer& server, int count) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this, &server] { Ask(server); });
  }
  ~Askers() { Stop(); }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  std::set<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  int answers() const { return answers_; }

 private:
  void Ask(const TestServer& server) {
    const auto stub = v1::ClassificationService::NewStub(server.channel());
    while (!stop_) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + kHangs);
      v1::ClassifyTextResponse response;
      const grpc::Status status = stub->ClassifyText(&context, ThreeTexts(), &response);
      const std::string what =
          status.ok() ? VariantOf(response) : absl::StrCat(status.error_code(), " ", status.error_message());
      ++answers_;
      const std::lock_guard lock(mutex_);
      seen_.insert(what);
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<int> answers_{0};
  std::mutex mutex_;
  std::set<std::string> seen_;  // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

// An operator's commands on the admin listener. What went wrong: "" if nothing.
class Operator {
 public:
  explicit Operator(TestServer& server)
      : stub_(v1::AdminService::NewStub(Connect(server.server().admin_port()))) {}

  std::string Load() const {
    grpc::ClientContext context;
    v1::LoadModelRequest request;
    request.set_name("language");
    v1::LoadModelResponse response;
    const grpc::Status status = stub_->LoadModel(&Timed(context), request, &response);
    if (!status.ok()) return absl::StrCat("load: ", status.error_code(), " ", status.error_message());
    return response.model().state() == v1::Model::READY ? "" : "load: the model is not ready";
  }
  std::string Unload() const {
    grpc::ClientContext context;
    v1::UnloadModelRequest request;
    request.set_name("language");
    v1::UnloadModelResponse response;
    const grpc::Status status = stub_->UnloadModel(&Timed(context), request, &response);
    return status.ok() ? "" : absl::StrCat("unload: ", status.error_code(), " ", status.error_message());
  }
  std::string List() const {
    grpc::ClientContext context;
    v1::ListVersionsResponse response;
    const grpc::Status status = stub_->ListVersions(&Timed(context), {}, &response);
    if (!status.ok()) return absl::StrCat("list: ", status.error_code(), " ", status.error_message());
    for (const v1::Model& model : response.versions()) {
      if (model.name() != "language" || model.state() == v1::Model::FAILED) return model.ShortDebugString();
    }
    return response.versions_size() <= 1 ? "" : "list: a model twice";
  }

 private:
  static grpc::ClientContext& Timed(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + kHangs);
    return context;
  }

  const std::unique_ptr<v1::AdminService::Stub> stub_;
};

TEST_F(ReloadTest, OperatorsWhoContradictEachOtherHarmNobody) {
  constexpr int kOperators = 32;
  constexpr int kRounds = 4;
  config::ServerConfig config = Config(2);
  config.set_admin_address("127.0.0.1:0");
  TestServer server(config);
  Askers askers(server, 4);
  std::vector<std::string> wrongs(kOperators);
  std::vector<std::thread> operators;
  for (int i = 0; i < kOperators; ++i) {
    operators.emplace_back([&server, i, &wrong = wrongs[static_cast<size_t>(i)]] {
      const Operator commands(server);
      for (int round = 0; round < kRounds; ++round) {
        const int command = (i + round) % 3;
        wrong += command == 0 ? commands.Load() : command == 1 ? commands.Unload() : commands.List();
      }
    });
  }
  for (std::thread& thread : operators) thread.join();
  EXPECT_THAT(wrongs, testing::Each(""));
  EXPECT_EQ(Operator(server).Load(), "");
  const int answers = askers.answers();
  EXPECT_TRUE(server.Eventually([&] { return askers.answers() > answers + 100; }));
  askers.Stop();
  const std::string not_found = absl::StrCat(grpc::StatusCode::NOT_FOUND, " ");
  const std::string loading =
      absl::StrCat(grpc::StatusCode::UNAVAILABLE, " model language is still loading; try again");
  EXPECT_THAT(askers.seen(), testing::Each(testing::AnyOf("old", testing::StartsWith(not_found), loading)));
  grpc::ClientContext context;
  v1::ClassifyTextResponse response;
  const auto stub = v1::ClassificationService::NewStub(server.channel());
  EXPECT_TRUE(stub->ClassifyText(&context, ThreeTexts(), &response).ok());
  EXPECT_EQ(VariantOf(response), "old");
}

// A model with two versions, which answer differently, and what requests call them.
class VersionTest : public ReloadTest {
 protected:
  VersionTest() {
    fs::remove(dir_.path() / "language");
    fs::create_directory(Dir());
    fs::rename(Variant("old"), Dir() / "1");
    fs::rename(Variant("new"), Dir() / "2");
    Label("stable", 1);
  }

  fs::path Dir() const { return dir_.path() / "versioned"; }
  // All versions; this label, and "newest" for the second.
  void Label(const std::string& name, int version) const {
    Rewrite(Dir() / ".serving", absl::StrCat("versions { all: true } label { name: 'newest' version: 2 } ",
                                             "label { name: '", name, "' version: ", version, " }"));
    fs::rename(Dir() / ".serving", Dir() / "serving.textproto");
  }
  config::ServerConfig VersionConfig() const {
    config::ServerConfig config = Config(2);
    config.mutable_model(0)->set_name("versioned");
    config.mutable_model(0)->set_path(Dir());
    return config;
  }
  // "variant from model", or the code.
  static std::string Ask(const TestServer& server, const std::string& model) {
    grpc::ClientContext context;
    v1::ClassifyTextRequest request = ThreeTexts();
    request.set_model(model);
    v1::ClassifyTextResponse response;
    const auto stub = v1::ClassificationService::NewStub(server.channel());
    const grpc::Status status = stub->ClassifyText(&context, request, &response);
    if (!status.ok()) return absl::StrCat(status.error_code());
    return absl::StrCat(VariantOf(response), " from ", response.model());
  }
};

TEST_F(VersionTest, VersionsAnswerToTheirNumbersAndLabels) {
  const TestServer server(VersionConfig());
  EXPECT_EQ(Ask(server, "versioned"), "new from versioned@2");
  EXPECT_EQ(Ask(server, "versioned@1"), "old from versioned@1");
  EXPECT_EQ(Ask(server, "versioned@2"), "new from versioned@2");
  EXPECT_EQ(Ask(server, "versioned@stable"), "old from versioned@1");
  EXPECT_EQ(Ask(server, "versioned@newest"), "new from versioned@2");
  for (const char* unknown : {"versioned@3", "versioned@0", "versioned@-1", "versioned@beta"}) {
    EXPECT_EQ(Ask(server, unknown), absl::StrCat(grpc::StatusCode::NOT_FOUND)) << unknown;
  }
  for (const char* no_name : {"versioned@", "@1", "versioned@1@1", "versioned@../1"}) {
    EXPECT_EQ(Ask(server, no_name), absl::StrCat(grpc::StatusCode::INVALID_ARGUMENT)) << no_name;
  }
}

TEST_F(VersionTest, MovedLabelMeansTheOtherVersionAndLoadsNothing) {
  const TestServer server(VersionConfig());
  EXPECT_EQ(Ask(server, "versioned@stable"), "old from versioned@1");
  const double loads = server.Metric("attendant_reload_total", "model=\"versioned\",result=\"loaded\"");
  EXPECT_EQ(loads, 2);
  Label("stable", 2);
  EXPECT_TRUE(server.Eventually([&] { return Ask(server, "versioned@stable") == "new from versioned@2"; }));
  EXPECT_EQ(server.Metric("attendant_reload_total", "model=\"versioned\",result=\"loaded\""), loads);
  Label("former", 1);
  EXPECT_TRUE(server.Eventually([&] { return Ask(server, "versioned@former") == "old from versioned@1"; }));
  EXPECT_EQ(Ask(server, "versioned@stable"), absl::StrCat(grpc::StatusCode::NOT_FOUND));
}

TEST_F(ReloadTest, HundredReloadsUnderLoadFailNothingAndMixNothing) {
  TestServer server(Config(2));
  Askers askers(server, 4);
  const char* broken[] = {"truncated", "lying", "infinite"};
  double loaded = server.Metric("attendant_reload_total", "model=\"language\",result=\"loaded\"");
  double failed = 0;
  bool is_new = false;
  for (int i = 0; i < 100; ++i) {
    const bool is_broken = i % 5 == 4;
    is_new = is_broken ? is_new : !is_new;
    Turn(is_broken ? broken[i / 5 % 3] : is_new ? "new" : "old");
    double& count = is_broken ? failed : loaded;
    const std::string labels =
        absl::StrCat("model=\"language\",result=\"", is_broken ? "failed" : "loaded", "\"");
    ++count;
    ASSERT_TRUE(server.Eventually([&] { return server.Metric("attendant_reload_total", labels) >= count; }))
        << i;
  }
  askers.Stop();
  EXPECT_EQ(failed, 20);
  EXPECT_THAT(askers.seen(), testing::ElementsAre("new", "old"));
  EXPECT_GT(askers.answers(), 1000);
  std::cout << askers.answers() << " answers during 100 reloads\n";
}

TEST_F(ReloadTest, RefusedVersionIsToldAndItsReasonToo) {
  TestServer server(Config(2));
  Turn("truncated");
  v1::Model model;
  ASSERT_TRUE(server.Eventually([&] {
    grpc::ClientContext context;
    v1::GetModelRequest request;
    request.set_name("language");
    return server.Models()->GetModel(&context, request, &model).ok() && !model.state_message().empty();
  }));
  EXPECT_EQ(model.state(), v1::Model::READY);
  EXPECT_TRUE(absl::StrContains(model.state_message(), "model.safetensors")) << model.state_message();
}

TEST_F(ReloadTest, HealthFollowsModelsThatComeAndGo) {
  TestServer server(Config(2));
  const auto health_of = [&](const std::string& name) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    grpc::health::v1::HealthCheckResponse response;
    request.set_service("models/" + name);
    return server.Health()->Check(&context, request, &response).ok() &&
           response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
  };
  EXPECT_TRUE(health_of("language"));
  fs::copy(Variant("new"), dir_.path() / "second");
  EXPECT_TRUE(server.Eventually([&] { return health_of("second"); }));
  fs::remove_all(dir_.path() / "second");
  EXPECT_TRUE(server.Eventually([&] { return !health_of("second"); }));
  EXPECT_TRUE(health_of("language"));
}

}  // namespace
}  // namespace attendant
