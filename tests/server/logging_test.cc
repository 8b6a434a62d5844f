#include "server/logging.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace attendant {
namespace {

TEST(LoggingTest, TextHasTimeLevelEventAndFieldsInOrder) {
  EXPECT_EQ(FormatLogLine(config::Logging::TEXT, "T", config::Logging::INFO, "listening",
                          {{"port", 1}, {"grpc", "127.0.0.1:1"}, {"models", {"a", "b"}}}),
            R"(T INFO listening port=1 grpc=127.0.0.1:1 models=["a","b"])");
}

TEST(LoggingTest, NothingInAFieldCanForgeALine) {
  const std::string text =
      FormatLogLine(config::Logging::TEXT, "T", config::Logging::INFO, "e", {{"k", "a\nT ERROR forged x=1"}});
  EXPECT_EQ(text, R"(T INFO e k="a\nT ERROR forged x=1")");
  const std::string json =
      FormatLogLine(config::Logging::JSON, "T", config::Logging::INFO, "e", {{"k", "a\n\"}\xff"}});
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(json)["k"], "a\n\"}\xEF\xBF\xBD");
}

TEST(LoggingTest, JsonIsOneObject) {
  const auto line = nlohmann::json::parse(
      FormatLogLine(config::Logging::JSON, "T", config::Logging::WARNING, "e", {{"n", 2.5}}));
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["event"], "e");
  EXPECT_EQ(line["n"], 2.5);
}

TEST(LoggingTest, LevelsBelowTheConfiguredAreOff) {
  config::Logging options;
  options.set_level(config::Logging::WARNING);
  const Logger log(options);
  EXPECT_FALSE(log.IsOn(config::Logging::INFO));
  EXPECT_TRUE(log.IsOn(config::Logging::WARNING));
}

}  // namespace
}  // namespace attendant
