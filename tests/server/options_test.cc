#include "server/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/settings.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::HasSubstr;
using testing::Not;

absl::StatusOr<CommandLine> Parse(std::vector<std::string> args) {
  return ParseCommandLine(args);
}

// With a model, so that only what the test says can be wrong.
absl::StatusOr<CommandLine> ParseWithModel(std::vector<std::string> args) {
  args.insert(args.begin(), "--model=m=/tmp");
  return ParseCommandLine(args);
}

std::string ErrorOf(const absl::StatusOr<CommandLine>& line) {
  EXPECT_TRUE(absl::IsInvalidArgument(line.status())) << line.status();
  EXPECT_THAT(std::string(line.status().message()), Not(HasSubstr("\n")));
  return std::string(line.status().message());
}

TEST(OptionsTest, DefaultsAreThoseOfTheSchema) {
  const auto line = ParseWithModel({});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->action, CommandLine::Action::kServe);
  EXPECT_EQ(line->config.listen_address(), "127.0.0.1:8500");
  EXPECT_EQ(line->config.metrics_address(), "127.0.0.1:9500");
  EXPECT_EQ(line->config.limits().max_request_bytes(), 4 << 20);
}

TEST(OptionsTest, ValuesComeAfterEqualsOrAsTheNextArgument) {
  const auto line = ParseWithModel(
      {"--max-queue=7", "--max-rows", "9", "--kv-cache-bytes=2GiB", "--insecure", "--listen-when-ready"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.scheduler().max_queue(), 7);
  EXPECT_EQ(line->config.scheduler().max_rows(), 9);
  EXPECT_EQ(line->config.engine().kv_cache_bytes(), int64_t{2} << 30);
  EXPECT_TRUE(line->config.insecure());
  EXPECT_TRUE(line->config.lifecycle().listen_when_ready());
}

TEST(OptionsTest, EnumsAreReadInAnyCase) {
  const auto line = ParseWithModel({"--log-format=json", "--log-level", "Debug"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.logging().format(), config::Logging::JSON);
  EXPECT_EQ(line->config.logging().level(), config::Logging::DEBUG);
}

TEST(OptionsTest, WrongFlagsSayTheFlagAndWhatIsAllowed) {
  EXPECT_THAT(ErrorOf(ParseWithModel({"--max-queue=0"})),
              HasSubstr("--max-queue: 0 is not in its range, 1 to"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--max-queue=x"})),
              HasSubstr("--max-queue: \"x\" is not a whole number"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--max-queue=-1"})), HasSubstr("--max-queue"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--max-queue=99999999999999999999"})), HasSubstr("--max-queue"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--kv-cache-bytes=9223372036854775807GiB"})),
              HasSubstr("--kv-cache-bytes"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--max-queue"})), HasSubstr("--max-queue: needs a value"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--no-such"})), HasSubstr("--no-such: there is no such flag"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"file"})), HasSubstr("\"file\" is not a flag"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--log-format=xml"})), HasSubstr("text|json"));
  EXPECT_THAT(ErrorOf(Parse({"--model=noequals"})), HasSubstr("NAME=DIR"));
  EXPECT_THAT(ErrorOf(Parse({"--model=../x=/tmp"})), HasSubstr("--model: the model's name"));
  EXPECT_THAT(ErrorOf(Parse({})), HasSubstr("--models DIR"));
}

TEST(OptionsTest, EachNumberTakesTheEndsOfItsRangeAndNothingBeyond) {
  for (const Setting& setting : AllSettings()) {
    if (setting.max == 0) continue;
    const auto try_value = [&](int64_t value) {
      config::ServerConfig config;
      return SetFromText(setting, std::to_string(value), config);
    };
    EXPECT_TRUE(try_value(setting.min).ok()) << setting.flag;
    EXPECT_TRUE(try_value(setting.max).ok()) << setting.flag;
    EXPECT_TRUE(absl::IsInvalidArgument(try_value(setting.min - 1))) << setting.flag;
    EXPECT_TRUE(absl::IsInvalidArgument(try_value(setting.max + 1))) << setting.flag;
  }
}

TEST(OptionsTest, AddressesMustBeLoopbackUnlessInsecure) {
  EXPECT_THAT(ErrorOf(ParseWithModel({"--listen=0.0.0.0:8500"})), HasSubstr("--insecure"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--metrics=10.0.0.1:9500"})), HasSubstr("metrics address"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--http=10.0.0.1:8080"})), HasSubstr("HTTP address"));
  EXPECT_TRUE(ParseWithModel({"--http=10.0.0.1:8080", "--insecure"}).ok());
  EXPECT_TRUE(ParseWithModel({"--http=127.0.0.1:0"}).ok());
  EXPECT_THAT(ErrorOf(ParseWithModel({"--listen=127.0.0.1.example.com:1"})), HasSubstr("loopback"));
  EXPECT_TRUE(ParseWithModel({"--listen=0.0.0.0:8500", "--insecure"}).ok());
  EXPECT_TRUE(ParseWithModel({"--listen=[::1]:0", "--metrics="}).ok());
  EXPECT_THAT(ErrorOf(ParseWithModel({"--listen=localhost"})), HasSubstr("HOST:PORT"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--listen=localhost:65536"})), HasSubstr("HOST:PORT"));
  EXPECT_TRUE(ParseWithModel({"--listen=localhost:65535"}).ok());
}

TEST(OptionsTest, TlsAllowsOtherAddressesButNotForMetrics) {
  const std::vector<std::string> tls = {"--tls-certificate=c", "--tls-key=k", "--listen=0.0.0.0:8500"};
  EXPECT_TRUE(ParseWithModel(tls).ok());
  auto with_metrics = tls;
  with_metrics.push_back("--metrics=0.0.0.0:9500");
  EXPECT_THAT(ErrorOf(ParseWithModel(with_metrics)), HasSubstr("/metrics has no TLS"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--listen=0.0.0.0:8500"})), HasSubstr("--tls-certificate"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--admin=0.0.0.0:8501"})), HasSubstr("admin address"));
  EXPECT_TRUE(ParseWithModel({"--admin=127.0.0.1:8501"}).ok());
}

TEST(OptionsTest, TlsNeedsBothOfItsFiles) {
  EXPECT_THAT(ErrorOf(ParseWithModel({"--tls-certificate=c"})), HasSubstr("--tls-key"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--tls-key=k"})), HasSubstr("--tls-certificate"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--tls-client-ca=a"})), HasSubstr("--tls-client-ca needs"));
}

TEST(OptionsTest, FilesOfIdentityAreTakenFromTheConfigurationsDirectory) {
  const TempDir dir;
  const std::string file = dir.Write(
      "c.txt",
      "tls { certificate: 'c.pem' key: '/k.pem' } auth { api_keys: 'keys' } model { name: 'a' path: 'x' }");
  const auto line = Parse({"--config", file});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.tls().certificate(), (dir.path() / "c.pem").string());
  EXPECT_EQ(line->config.tls().key(), "/k.pem");
  EXPECT_EQ(line->config.tls().client_ca(), "");
  EXPECT_EQ(line->config.auth().api_keys(), (dir.path() / "keys").string());
}

TEST(OptionsTest, NewKeyStandsAlone) {
  const auto line = Parse({"--new-key", "shop", "--roles=infer,metrics"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->action, CommandLine::Action::kNewKey);
  EXPECT_EQ(line->key_id, "shop");
  EXPECT_EQ(line->roles, "infer,metrics");
  EXPECT_EQ(Parse({"--new-key=shop"})->roles, "infer");
  EXPECT_THAT(ErrorOf(Parse({"--new-key"})), HasSubstr("needs a value"));
  EXPECT_THAT(ErrorOf(Parse({"--new-key=a", "--models=m"})), HasSubstr("does not go with --new-key"));
  EXPECT_THAT(ErrorOf(ParseWithModel({"--roles=infer"})), HasSubstr("no such flag"));
}

TEST(OptionsTest, FlagsOverrideTheFile) {
  const TempDir dir;
  const std::string file =
      dir.Write("c.txt", "scheduler { max_queue: 5 max_rows: 6 }\nmodel { name: 'a' path: 'x' }");
  const auto line = Parse({"--max-queue=7", "--config", file, "--model=a=/y", "--model=b=/z"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.scheduler().max_queue(), 7);
  EXPECT_EQ(line->config.scheduler().max_rows(), 6);
  ASSERT_EQ(line->config.model_size(), 2);
  EXPECT_EQ(line->config.model(0).path(), "/y");
}

TEST(OptionsTest, ModelsDirectoryGivesEverySubdirectoryWithAConfig) {
  const TempDir dir;
  dir.Write("b/config.json", "{}");
  dir.Write("a/config.json", "{}");
  dir.Write("not-a-model/readme", "");
  const auto line = Parse({"--models", dir.path()});
  ASSERT_TRUE(line.ok()) << line.status();
  ASSERT_EQ(line->config.model_size(), 2);
  EXPECT_EQ(line->config.model(0).name(), "a");
  EXPECT_EQ(line->config.model(1).path(), (dir.path() / "b").string());
}

TEST(OptionsTest, ModelsDirectoryWithoutModelsIsAnError) {
  const TempDir dir;
  EXPECT_THAT(ErrorOf(Parse({"--models", dir.path()})), HasSubstr("no sub-directory with a config.json"));
  EXPECT_THAT(ErrorOf(Parse({"--models", dir.path() / "none"})), HasSubstr("cannot be read"));
}

TEST(OptionsTest, HelpNamesEveryFlagWithItsDefault) {
  const std::string help = HelpText();
  for (const Setting& setting : AllSettings()) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat("--", setting.flag, " ")));
    const std::string value = DefaultText(setting);
    if (value.empty()) continue;
    EXPECT_THAT(help, HasSubstr(absl::StrCat(setting.help, " [", value, "]")));
  }
  EXPECT_THAT(help, HasSubstr("Examples:"));
}

TEST(OptionsTest, HelpAndVersionNeedNoModel) {
  EXPECT_EQ(Parse({"--help"})->action, CommandLine::Action::kHelp);
  EXPECT_EQ(Parse({"--version"})->action, CommandLine::Action::kVersion);
  EXPECT_THAT(VersionText(), HasSubstr("attendant-server 0."));
}

}  // namespace
}  // namespace attendant
