#include "server/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ConfigurationTest : public testing::Test {
 protected:
  // The error of a file with this text, which must be one line.
  std::string ErrorOf(const std::string& text) {
    const auto config = ReadConfigFile(dir_.Write("c.txt", text));
    EXPECT_TRUE(absl::IsInvalidArgument(config.status())) << config.status();
    const std::string message(config.status().message());
    EXPECT_THAT(message, Not(HasSubstr("\n")));
    return message;
  }
  std::string At(const std::string& place) { return (dir_.path() / "c.txt").string() + ":" + place; }

  const TempDir dir_;
};

TEST_F(ConfigurationTest, ReadsTextFormatWithPathsFromTheFilesDirectory) {
  const auto config = ReadConfigFile(dir_.Write(
      "c.txt", "models_dir: 'all'\nmodel { name: 'a' path: 'm/a' }\nmodel { name: 'b' path: '/b' }"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->models_dir(), (dir_.path() / "all").string());
  EXPECT_EQ(config->model(0).path(), (dir_.path() / "m/a").string());
  EXPECT_EQ(config->model(1).path(), "/b");
}

TEST_F(ConfigurationTest, ErrorsSayFileLineAndField) {
  EXPECT_THAT(ErrorOf("limits {\n  max_contents: x\n}"), StartsWith(At("2:")));
  EXPECT_THAT(ErrorOf("limits {\n  max_contentz: 1\n}"), StartsWith(At("2:")));
  EXPECT_THAT(ErrorOf("\n\nlimits {"), StartsWith(At("3:")));
  EXPECT_THAT(ErrorOf("insecure: true\nlimits {\n  max_contents: 0\n}"),
              StartsWith(At("3: limits.max_contents: 0 is not in its range, 1 to 100000")));
  EXPECT_THAT(ErrorOf("\nmodel { name: '../x' path: 'a' }"), StartsWith(At("2: model.name: ")));
  EXPECT_THAT(ErrorOf("model { name: 'a' }"), StartsWith(At("1: model.path: ")));
  EXPECT_THAT(ErrorOf("model { name: 'a' path: 'a' }\nmodel { name: 'b' path: 'b' kv_cache_bytes: 1048575 }"),
              StartsWith(At("2: model.kv_cache_bytes: ")));
  EXPECT_THAT(ErrorOf("model { name: 'a' path: 'a' num_workers: 1025 }"),
              StartsWith(At("1: model.num_workers: ")));
  for (const char* weight : {"0", "-1", "1001"}) {
    EXPECT_THAT(ErrorOf("model { name: 'a' path: 'a' weight: " + std::string(weight) + " }"),
                StartsWith(At("1: model.weight: must be 1 to 1000")));
  }
}

TEST_F(ConfigurationTest, TakesAWeightOfEachEndOfItsRange) {
  const auto config = ReadConfigFile(
      dir_.Write("c.txt",
                 "model { name: 'a' path: 'a' weight: 1 } model { name: 'b' path: 'b' weight: 1000 } "
                 "model { name: 'c' path: 'c' }"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->model(0).weight(), 1);
  EXPECT_EQ(config->model(1).weight(), 1000);
  EXPECT_EQ(config->model(2).weight(), 100);
}

TEST_F(ConfigurationTest, MissingFileIsNamed) {
  const auto config = ReadConfigFile(dir_.path() / "none.txt");
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("none.txt: cannot be read"));
}

TEST_F(ConfigurationTest, RefusesTwoModelsOfOneName) {
  config::ServerConfig config;
  for (const char* path : {"a", "b"}) {
    config::ModelConfig& model = *config.add_model();
    model.set_name("same");
    model.set_path(path);
  }
  const auto complete = CompleteConfig(config);
  EXPECT_THAT(std::string(complete.status().message()), HasSubstr("model same is named twice"));
}

TEST_F(ConfigurationTest, ModelNamedByItselfWinsOverTheDirectorys) {
  dir_.Write("models/a/config.json", "{}");
  config::ServerConfig config;
  config.set_models_dir(dir_.path() / "models");
  config::ModelConfig& model = *config.add_model();
  model.set_name("a");
  model.set_path("/elsewhere");
  const auto complete = CompleteConfig(config);
  ASSERT_TRUE(complete.ok()) << complete.status();
  ASSERT_EQ(complete->model_size(), 1);
  EXPECT_EQ(complete->model(0).path(), "/elsewhere");
}

}  // namespace
}  // namespace attendant
