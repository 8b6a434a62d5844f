#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "server/configuration.h"
#include "tests/deploy/manifests.h"
#include "tests/deploy/schema.h"

namespace attendant {
namespace {

using nlohmann::json;

const json& Compose() {
  static const json compose = ReadManifests(DeployDir() / "compose/compose.yaml").at(0);
  return compose;
}

int64_t Bytes(std::string text) {
  const int shift = text.back() == 'g' ? 30 : text.back() == 'm' ? 20 : 0;
  if (shift > 0) text.pop_back();
  return std::stoll(text) << shift;
}

TEST(ComposeTest, FilesFollowTheSpecification) {
  const json schema = json::parse(std::ifstream(ATTENDANT_SOURCE_DIR "/tests/deploy/schemas/compose.json"));
  EXPECT_THAT(SchemaProblems(schema, Compose()), testing::IsEmpty());
  EXPECT_THAT(SchemaProblems(schema, ReadManifests(DeployDir() / "compose/grafana-port.yaml").at(0)),
              testing::IsEmpty());
  for (const char* pointer :
       {"/services/server/read_onli", "/services/grafana/healthcheck/intervall", "/service"}) {
    json wrong = Compose();
    wrong[json::json_pointer(pointer)] = true;
    EXPECT_THAT(SchemaProblems(schema, wrong), testing::Not(testing::IsEmpty())) << pointer;
  }
}

TEST(ComposeTest, EveryServiceIsShutIn) {
  for (const auto& [name, service] : Compose().at("services").items()) {
    EXPECT_EQ(service.value("read_only", false), true) << name;
    EXPECT_EQ(service.value("cap_drop", json()), json{"ALL"}) << name;
    EXPECT_EQ(service.value("security_opt", json()), json{"no-new-privileges:true"}) << name;
    EXPECT_EQ(service.value("privileged", false), false) << name;
    EXPECT_TRUE(service.contains("user") && !absl::StartsWith(service.at("user").get<std::string>(), "0"))
        << name;
    EXPECT_TRUE(At(service, "/healthcheck/test").is_array()) << name;
    for (const char* limit : {"cpus", "memory", "pids"}) {
      EXPECT_FALSE(At(service, std::string("/deploy/resources/limits/") + limit).is_null()) << name << limit;
    }
  }
}

// Compose copies other kinds into the container, which a read-only root refuses (docker/compose issue 12031).
TEST(ComposeTest, ConfigsAndSecretsAreFiles) {
  for (const char* kind : {"configs", "secrets"}) {
    for (const auto& [name, source] : Compose().at(kind).items())
      EXPECT_TRUE(source.contains("file")) << name;
  }
}

TEST(ComposeTest, ImagesOfOthersArePinned) {
  const std::regex pinned(R"(.+:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?)");
  for (const auto& [name, service] : Compose().at("services").items()) {
    const std::string image = service.at("image");
    EXPECT_TRUE(name == "server" ? absl::StrContains(image, "ATTENDANT_IMAGE")
                                 : std::regex_match(image, pinned))
        << image;
  }
}

TEST(ComposeTest, OnlyTheServersPortIsPublished) {
  const json& compose = Compose();
  for (const auto& [name, service] : compose.at("services").items()) {
    EXPECT_EQ(service.contains("ports"), name == "server") << name;
    for (const std::string network : service.at("networks")) {
      const json& definition = compose.at("networks").at(network);
      EXPECT_TRUE(network == "front" ? name == "server" : definition.value("internal", false))
          << name << " in " << network;
    }
  }
  EXPECT_EQ(At(compose, "/services/server/ports"), json{"${ATTENDANT_PUBLISH:-127.0.0.1:8500}:8500"});
}

TEST(ComposeTest, FilesAndVolumesAreThere) {
  const std::filesystem::path dir = DeployDir() / "compose";
  const json& compose = Compose();
  for (const auto& [name, file] : compose.at("configs").items())
    EXPECT_TRUE(std::filesystem::is_regular_file(dir / file.at("file").get<std::string>())) << name;
  for (const auto& [name, service] : compose.at("services").items()) {
    for (const json& config : service.value("configs", json::array()))
      EXPECT_TRUE(compose.at("configs").contains(config.at("source"))) << name;
    for (const std::string volume : service.value("volumes", json::array())) {
      const std::string source = volume.substr(0, volume.find(':'));
      EXPECT_TRUE(compose.at("volumes").contains(source) ||
                  (source[0] == '.' && std::filesystem::is_directory(dir / source)))
          << volume;
    }
    const json needed = service.value("depends_on", json::object());
    for (const auto& [other, condition] : needed.items()) {
      EXPECT_TRUE(compose.at("services").contains(other)) << name;
    }
  }
}

TEST(ComposeTest, ServerHasTimeToDrainAndPrometheusFindsIt) {
  const json server = At(Compose(), "/services/server");
  const auto config = ReadConfigFile(DeployDir() / "compose/server.txt");
  ASSERT_TRUE(config.ok()) << config.status();
  int grace = 0;
  std::string text = server.at("stop_grace_period");
  ASSERT_TRUE(absl::EndsWith(text, "s") && absl::SimpleAtoi(text.substr(0, text.size() - 1), &grace));
  EXPECT_GT(1000 * grace, config->lifecycle().drain_grace_ms() + config->lifecycle().drain_timeout_ms());
  const json prometheus = ReadManifests(DeployDir() / "compose/prometheus/prometheus.yml").at(0);
  const json& job = At(prometheus, "/scrape_configs/0");
  EXPECT_EQ(job.at("job_name"), "attendant");
  const int port = ParseHostPort(config->metrics_address())->port;
  EXPECT_EQ(At(job, "/static_configs/0/targets"), json{"server:" + std::to_string(port)});
}

// The alert on memory knows the limit by its value.
TEST(ComposeTest, MemoryLimitIsTheOneOfTheRules) {
  std::string value;
  const json rules = ReadManifests(DeployDir() / "compose/prometheus/rules/attendant.rules.yml").at(0);
  for (const json& rule : At(rules, "/groups/0/rules")) {
    if (rule.at("record") == "attendant:memory_bytes:limit") value = rule.at("expr");
  }
  const int64_t limit = Bytes(At(Compose(), "/services/server/deploy/resources/limits/memory"));
  EXPECT_EQ(value, "vector(" + std::to_string(limit) + ")");
  const Manifests base = ReadKustomizeBase(DeployDir() / "kubernetes/base");
  EXPECT_EQ(
      At(*Find(base, "Deployment", "attendant"), "/spec/template/spec/containers/0/resources/limits/memory"),
      std::to_string(limit >> 30) + "Gi");
}

}  // namespace
}  // namespace attendant
