// The real `attendant` against the real `attendant-server` with the shipped model, as a user runs them.

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/client_fixture.h"

namespace attendant {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ClientTest : public ClientFixture {
 protected:
  static void SetUpTestSuite() {
    StartServer({"--model", "translate-en-de=" ATTENDANT_SOURCE_DIR "/models/translate-en-de"});
  }
  static void TearDownTestSuite() { StopServer(); }
};

TEST_F(ClientTest, ArgumentsAreTextsEach) {
  const Finished run = Run("attendant translate 'Good morning.' '' 'Thank you.'");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const auto lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr("Morgen"));
  EXPECT_EQ(lines[1], "");
  EXPECT_THAT(lines[2], HasSubstr("Dank"));
}

TEST_F(ClientTest, StandardInputGivesALineForALine) {
  const Finished run = Run(R"(printf 'Good morning.\r\n\nThank you.' | attendant translate)");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const auto lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], Lines(Run("attendant translate 'Good morning.'").out)[0]);
  EXPECT_EQ(lines[1], "");
}

TEST_F(ClientTest, InvalidUtf8IsReplacedAndReported) {
  const Finished run = Run(R"(printf 'Good \xff morning.\n' | attendant translate)");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(Lines(run.out).size(), 1U);
  EXPECT_THAT(run.err, HasSubstr("1 bytes of the input are not UTF-8"));
}

TEST_F(ClientTest, AFileOfTwoThousandLinesKeepsItsOrder) {
  // Ten sentences of different lengths, over and over: each line's translation must be its own.
  const std::vector<std::string> sentences = {"Yes.",
                                              "Good morning.",
                                              "",
                                              "The house is small.",
                                              "I do not know where my friends live today.",
                                              "Thank you.",
                                              "What is your name?",
                                              "The weather is nice, but tomorrow it will rain.",
                                              "No.",
                                              "She reads a book."};
  std::string arguments;
  for (const std::string& sentence : sentences) arguments += " " + Quote(sentence);
  const auto expected = Lines(Run("attendant translate --beam 1" + arguments).out);
  ASSERT_EQ(expected.size(), sentences.size());
  {
    std::ofstream file(dir_ / "lines.en");
    for (int i = 0; i < 2000; ++i) file << sentences[static_cast<size_t>(i * 7 % 10)] << '\n';
  }
  const Finished run = Run("attendant translate --beam 1 --input lines.en --output lines.de");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto lines = Lines(ReadFile(dir_ / "lines.de"));
  ASSERT_EQ(lines.size(), 2000U);
  for (size_t i = 0; i < lines.size(); ++i) ASSERT_EQ(lines[i], expected[i * 7 % 10]) << "line " << i + 1;
}

TEST_F(ClientTest, JsonHasScoresAndHypotheses) {
  const Finished run = Run("attendant translate --json --n-best 2 --scores 'The house is small.'");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto parsed = nlohmann::json::parse(run.out);
  EXPECT_EQ(parsed["number"], 1);
  const auto& hypotheses = parsed["sentences"][0]["hypotheses"];
  ASSERT_EQ(hypotheses.size(), 2U);
  EXPECT_EQ(parsed["translation"], hypotheses[0]["text"]);
  EXPECT_GE(hypotheses[0]["score"], hypotheses[1]["score"]);
  EXPECT_GE(hypotheses[0]["token_scores"].size(), hypotheses[0]["tokens"].size());
  EXPECT_GT(parsed["timing_ms"]["total"], 0.0);
}

TEST_F(ClientTest, StreamEndsInTheSameText) {
  const std::string text = "'Good morning. How are you? The house is small.'";
  const Finished streamed = Run("attendant translate --stream " + text);
  EXPECT_EQ(streamed.exit_code, 0) << streamed.err;
  EXPECT_EQ(streamed.out, Run("attendant translate --beam 1 " + text).out);
}

TEST_F(ClientTest, AlignmentIsDrawn) {
  const Finished run =
      Run("attendant translate --alignment --output-image map.png 'The house is small.' && "
          "attendant translate --output-image map.svg 'The house is small.'");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr(", \xE2\x96\x81house\n"));  // A stair of the source ...
  EXPECT_THAT(run.out, HasSubstr("\xE2\x96\x81Haus "));      // ... and a row of the target, with some ink.
  const size_t row = run.out.find("\xE2\x96\x81Haus ");
  EXPECT_NE(run.out.substr(row, run.out.find('\n', row) - row).find_first_of(".:-=+*#%@"), std::string::npos);
  EXPECT_THAT(ReadFile(dir_ / "map.png"), StartsWith("\x89PNG"));
  EXPECT_THAT(ReadFile(dir_ / "map.svg"), HasSubstr("</svg>"));
}

TEST_F(ClientTest, WholeKeepsLineBreaks) {
  const Finished run = Run(R"(printf 'Good morning.\n\nThank you.\n' | attendant translate --whole)");
  EXPECT_EQ(run.exit_code, 0);
  const auto lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1], "");
}

TEST_F(ClientTest, ModelsAndHealth) {
  EXPECT_EQ(Run("attendant health").out, "SERVING\n");
  const Finished unknown = Run("attendant health no.such.Service");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_EQ(unknown.out, "SERVICE_UNKNOWN\n");
  EXPECT_THAT(Run("attendant models").out, HasSubstr("translate-en-de"));
  const auto parsed = nlohmann::json::parse(Run("attendant models --json").out);
  EXPECT_EQ(parsed["state"], "READY");
  EXPECT_TRUE(parsed["num_parameters"].is_number());
  EXPECT_THAT(Run("attendant models translate-en-de").out, HasSubstr("limits.max_source_tokens"));
  EXPECT_EQ(Run("attendant models nothing").exit_code, 1);
}

TEST_F(ClientTest, WrongRequestsFailWithOneLine) {
  const Finished run = Run("attendant translate --beam 1000 'Good morning.'");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.out, "\n");
  EXPECT_THAT(run.err, HasSubstr("beam_size"));
  EXPECT_EQ(Lines(run.err).size(), 1U);
  EXPECT_EQ(Run("attendant translate --model nothing 'x'").exit_code, 1);
}

TEST_F(ClientTest, AFailedLineIsAnEmptyLine) {
  // The second line is beyond the server's limit of one text (1 MiB); its neighbours are not.
  const Finished run =
      Run("{ echo 'Yes.'; head -c 1100000 /dev/zero | tr '\\0' a; echo; echo 'No.'; } | attendant translate "
          "--beam 1");
  EXPECT_EQ(run.exit_code, 1);
  const auto lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1], "");
  EXPECT_NE(lines[2], "");
  EXPECT_THAT(run.err, HasSubstr("line 2: "));
}

TEST_F(ClientTest, NoServerIsExitCodeThree) {
  const Finished run = Run("attendant translate --server 127.0.0.1:1 x");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, HasSubstr("cannot reach 127.0.0.1:1: start attendant-server"));
  EXPECT_EQ(Run("attendant health --server 127.0.0.1:1").exit_code, 3);
  EXPECT_EQ(Run("attendant models --server 127.0.0.1:1").exit_code, 3);
}

TEST_F(ClientTest, AMissedDeadlineIsExitCodeFour) {
  const Finished run =
      Run("for i in $(seq 500); do echo 'The weather is nice, but tomorrow it will rain again in the whole "
          "country.'; done "
          ">long; attendant translate --whole --input long --deadline 5ms");
  EXPECT_EQ(run.exit_code, 4) << run.err;
  EXPECT_THAT(run.err, HasSubstr("--deadline"));
}

TEST_F(ClientTest, AClosedPipeEndsQuietly) {
  const Finished run =
      Run("yes 'Good morning.' | attendant translate --beam 1 | head -n 3; echo ${PIPESTATUS[1]}");
  const auto lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[3], "0");
  EXPECT_THAT(run.err, IsEmpty());
}

TEST_F(ClientTest, AnInterruptKeepsWhatIsDone) {
  // The interrupt comes when the first line has been translated; the input has no end.
  const Finished run = Run("mkfifo fifo; exec 3<>fifo; { echo 'Yes.'; } >&3\n" + Quote(Binary("attendant")) +
                           " translate --input fifo >part & pid=$!\n"
                           "while [ ! -s part ]; do read -t 0.05 <> <(:) || :; done; kill -INT $pid; wait "
                           "$pid; echo $?; cat part");
  EXPECT_THAT(run.out, StartsWith("130\nJa"));
  EXPECT_THAT(run.err, HasSubstr("interrupted after 1 texts"));
}

// All that ships, in one server: each command finds its model by itself.
class ShippedModelsTest : public ClientFixture {
 protected:
  static void SetUpTestSuite() { StartServer({"--models", ATTENDANT_SOURCE_DIR "/models"}); }
  static void TearDownTestSuite() { StopServer(); }
};

TEST_F(ShippedModelsTest, EachCommandFindsItsModel) {
  const Finished translated = Run("attendant translate 'Good morning!'");
  EXPECT_EQ(translated.exit_code, 0) << translated.err;
  const Finished embedded = Run("attendant embed 'Good morning!'");
  EXPECT_EQ(embedded.exit_code, 0) << embedded.err;
  EXPECT_EQ(nlohmann::json::parse(embedded.out)["embedding"].size(), 192U);
  const Finished classified = Run("attendant classify --top-k 1 --text 'Wo wohnst du?'");
  EXPECT_THAT(classified.out, HasSubstr("de\t")) << classified.err;
  const Finished seen = Run("attendant classify --top-k 1 " ATTENDANT_SOURCE_DIR "/docs/samples");
  EXPECT_THAT(seen.out, AllOf(HasSubstr("cat.jpg\tcat\t"), HasSubstr("chelsea.jpg\tcat\t"))) << seen.err;
}

// `attendant admin` against the listener for operators.
class AdminCommandTest : public ClientFixture {
 protected:
  static void SetUpTestSuite() {
    StartServer(
        {"--model", "language=" ATTENDANT_SOURCE_DIR "/models/classify-language", "--admin=127.0.0.1:0"});
  }
  static void TearDownTestSuite() { StopServer(); }

  static Finished RunAdmin(const std::string& line) {
    return Run("export ATTENDANT_ADMIN=127.0.0.1:$(sed -n 's/^admin //p' ports); " + line);
  }
};

TEST_F(AdminCommandTest, ModelsAreListedUnloadedAndLoaded) {
  const Finished list = RunAdmin("attendant admin list");
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(list.out, AllOf(StartsWith("NAME"), HasSubstr("language"), HasSubstr("ready")));

  const Finished unload = RunAdmin("attendant admin unload language");
  EXPECT_EQ(unload.exit_code, 0) << unload.err;
  EXPECT_EQ(unload.out, "language is unloaded\n");
  EXPECT_THAT(RunAdmin("attendant admin list").out, HasSubstr("unloaded"));
  const Finished refused = RunAdmin("attendant classify --text 'Wo wohnst du?'");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("an admin unloaded it"));

  const Finished load = RunAdmin("attendant admin load language");
  EXPECT_EQ(load.exit_code, 0) << load.err;
  EXPECT_THAT(load.out, AllOf(HasSubstr("language"), HasSubstr("ready")));
  EXPECT_THAT(RunAdmin("attendant classify --top-k 1 --text 'Wo wohnst du?'").out, HasSubstr("de\t"));
}

TEST_F(AdminCommandTest, WrongCommandsFailWithOneLine) {
  for (const char* command : {"load nothing", "unload nothing", "load ../language"}) {
    const Finished run = RunAdmin(std::string("attendant admin ") + command);
    EXPECT_EQ(run.exit_code, 1) << command;
    EXPECT_THAT(run.out, IsEmpty()) << command;
    EXPECT_EQ(Lines(run.err).size(), 1U) << run.err;
  }
  for (const char* command : {"", "load", "list all", "reload language", "load language again"}) {
    EXPECT_EQ(RunAdmin(std::string("attendant admin ") + command).exit_code, 2) << command;
  }
  EXPECT_EQ(RunAdmin("attendant admin list --server 127.0.0.1:1").exit_code, 3);
}

TEST_F(AdminCommandTest, PortForRequestsKnowsNoAdmin) {
  const Finished run = RunAdmin("attendant admin unload language --server $ATTENDANT_SERVER");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("does not offer this"));
  EXPECT_THAT(RunAdmin("attendant admin list").out, HasSubstr("ready"));
}

}  // namespace
}  // namespace attendant
