// `attendant classify`, `embed` and `label` against a server with the small encoders of
// tests/golden/encoders.

#include <gmock/gmock.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/client_fixture.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kEncoders = ATTENDANT_SOURCE_DIR "/tests/golden/encoders/";
const std::string kImages = ATTENDANT_SOURCE_DIR "/tests/golden/images/";

json GoldenOf(const std::string& model) {
  return json::parse(std::ifstream(kEncoders + model + "/golden.json"));
}

std::string ImageArgument(const std::string& file) {
  return " " + Quote(kImages + file);
}

// "t5 t17": the text whose tokens are these.
std::string TextOf(const json& ids) {
  std::string text;
  for (const json& id : ids) text += (text.empty() ? "t" : " t") + std::to_string(id.get<int>());
  return text;
}

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

struct PngSize {
  unsigned width = 0;
  unsigned height = 0;
};

PngSize SizeOfPng(const fs::path& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const std::string bytes = ReadFile(path);
  EXPECT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0) << path;
  png_image_free(&image);
  return {image.width, image.height};
}

class ClientEncodeTest : public ClientFixture {
 protected:
  static void SetUpTestSuite() {
    std::vector<std::string> arguments;
    for (const char* name : {"bert", "bert-sequence", "bert-tokens", "mpnet", "vit-classes"}) {
      arguments.push_back("--model");
      arguments.push_back(std::string(name) + "=" + kEncoders + name);
    }
    StartServer(arguments);
  }
  static void TearDownTestSuite() { StopServer(); }

  static std::vector<json> JsonLines(const std::string& line) {
    const Finished run = Run(line);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    std::vector<json> objects;
    for (const std::string& object : Lines(run.out)) objects.push_back(json::parse(object));
    return objects;
  }
};

TEST_F(ClientEncodeTest, ImagesHaveTheClassesOfTransformers) {
  const json files = GoldenOf("vit-classes")["files"];
  std::string arguments;
  for (const json& file : files) arguments += ImageArgument(file["file"]);
  const std::vector<json> answers = JsonLines("attendant classify --json --logits" + arguments);
  ASSERT_EQ(answers.size(), files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(answers[i]["number"], i + 1);
    EXPECT_EQ(answers[i]["file"], kImages + files[i]["file"].get<std::string>());
    EXPECT_EQ(answers[i]["model"], "vit-classes");
    const std::vector<float> expected = files[i]["logits"];
    for (size_t c = 0; c < expected.size(); ++c) {
      EXPECT_NEAR(answers[i]["logits"][c].get<float>(), expected[c], 2e-5) << files[i]["file"];
    }
    const auto best = std::max_element(expected.begin(), expected.end()) - expected.begin();
    EXPECT_EQ(answers[i]["labels"][0]["index"], best);
  }
}

TEST_F(ClientEncodeTest, ClassesAreLinesThatPipeWell) {
  const Finished run = Run("attendant classify --top-k 2 --logits" + ImageArgument("gen-420.jpg"));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 2U);
  const auto best = Fields(lines[0]);
  const auto second = Fields(lines[1]);
  ASSERT_EQ(best.size(), 4U);
  ASSERT_EQ(second.size(), 4U);
  EXPECT_EQ(best[0], kImages + "gen-420.jpg");
  // The odds are the difference of the logits.
  EXPECT_NEAR(std::log(std::stod(best[2]) / std::stod(second[2])), std::stod(best[3]) - std::stod(second[3]),
              1e-4);
  EXPECT_GE(std::stod(best[2]), std::stod(second[2]));
}

TEST_F(ClientEncodeTest, DirectoriesAreWalkedAndKeepTheirOrder) {
  const Finished copied =
      Run("mkdir -p photos/inner && cp" + ImageArgument("gen-420.jpg") + " photos/b.jpg && cp" +
          ImageArgument("anim.webp") + " photos/inner/c.WEBP && cp" + ImageArgument("gen-exif.png") +
          " photos/a.png && echo no >photos/notes.txt");
  ASSERT_EQ(copied.exit_code, 0) << copied.err;
  const Finished run = Run("attendant classify --top-k 1 --batch 2 photos" + ImageArgument("gen-rgb.jpg"));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  std::vector<std::string> names;
  for (const std::string& line : Lines(run.out)) names.push_back(Fields(line)[0]);
  EXPECT_THAT(names,
              ElementsAre("photos/a.png", "photos/b.jpg", "photos/inner/c.WEBP", kImages + "gen-rgb.jpg"));
}

// Runs the client with a terminal as its standard error alone; what it writes there.
class ClientProgressTest : public ClientEncodeTest {
 protected:
  static std::string OnATerminal(const std::string& arguments) {
    const std::string command = Binary("attendant").string() + " " + arguments + " >terminal.out";
    const Finished run = Run("script -qec " + Quote(command) + " /dev/null </dev/null");
    EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
    return run.out;
  }
};

TEST_F(ClientProgressTest, ManyImagesHaveADisplayOnATerminal) {
  const std::string two = ImageArgument("gen-420.jpg") + ImageArgument("gen-rgb.jpg");
  EXPECT_THAT(OnATerminal("classify" + two), HasSubstr("2 images in "));
  EXPECT_THAT(OnATerminal("embed --images --model vit-classes" + two), HasSubstr("2 images in "));
  EXPECT_THAT(OnATerminal("classify --quiet" + two), IsEmpty());
  EXPECT_THAT(OnATerminal("classify" + ImageArgument("gen-420.jpg")), IsEmpty()) << "one is soon done";
  EXPECT_THAT(Run("attendant classify" + two).err, IsEmpty()) << "no terminal";
}

TEST_F(ClientProgressTest, LinesHaveADisplayOnATerminal) {
  Run("printf 't5 t17\\nt3\\n' >lines.txt");
  for (const char* command :
       {"label --input", "embed --model bert --input", "classify --model bert-sequence --texts"}) {
    EXPECT_THAT(OnATerminal(std::string(command) + " lines.txt"), HasSubstr("2 lines in ")) << command;
  }
}

TEST_F(ClientEncodeTest, AnImageOnStandardInputHasTheClassesOfTheFile) {
  const Finished piped = Run("cat" + ImageArgument("gen-420.jpg") + " | attendant classify -");
  const Finished named = Run("attendant classify" + ImageArgument("gen-420.jpg"));
  ASSERT_EQ(piped.exit_code, 0) << piped.err;
  ASSERT_EQ(Lines(piped.out).size(), Lines(named.out).size());
  for (size_t i = 0; i < Lines(piped.out).size(); ++i) {
    const auto a = Fields(Lines(piped.out)[i]);
    const auto b = Fields(Lines(named.out)[i]);
    EXPECT_EQ(a[0], "-");
    EXPECT_EQ(a[1], b[1]);
    EXPECT_EQ(a[2], b[2]);
  }
}

TEST_F(ClientEncodeTest, ABadImageFailsAlone) {
  const Finished run =
      Run("echo GIF89a >no.gif; attendant classify --top-k 1" + ImageArgument("gen-420.jpg") +
          " no.gif missing.jpg" + ImageArgument("gen-rgb.jpg"));
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(Lines(run.out).size(), 2U);
  EXPECT_THAT(run.err, HasSubstr("no.gif: INVALID_ARGUMENT: image is neither"));
  EXPECT_THAT(run.err, HasSubstr("missing.jpg: cannot read it: No such file"));
  EXPECT_THAT(run.err, HasSubstr("2 of 4 images failed"));
  EXPECT_THAT(run.err, Not(HasSubstr("images[")));
}

TEST_F(ClientEncodeTest, AttentionMapsAreLaidOverTheirImages) {
  const Finished one =
      Run("attendant classify --attention-map where.png --json" + ImageArgument("gen-420.jpg"));
  ASSERT_EQ(one.exit_code, 0) << one.err;
  const json answer = json::parse(one.out);
  const PngSize size = SizeOfPng(dir_ / "where.png");
  EXPECT_EQ(size.width, answer["width"]);
  EXPECT_EQ(size.height, answer["height"]);
  EXPECT_EQ(answer["attention_map"]["weights"].size(), 9U);

  const Finished several = Run("attendant classify --attention-map maps/deep" + ImageArgument("gen-420.jpg") +
                               ImageArgument("gen-420.jpg") + ImageArgument("gen-rgb.jpg"));
  ASSERT_EQ(several.exit_code, 0) << several.err;
  for (const char* name : {"gen-420.png", "gen-420-2.png", "gen-rgb.png"}) {
    EXPECT_GT(SizeOfPng(dir_ / "maps/deep" / name).width, 0U);
  }
  EXPECT_EQ(ReadFile(dir_ / "maps/deep/gen-420.png"), ReadFile(dir_ / "where.png"));

  const Finished no_directory = Run("attendant classify --attention-map where.png" +
                                    ImageArgument("gen-420.jpg") + ImageArgument("gen-rgb.jpg"));
  EXPECT_EQ(no_directory.exit_code, 2);
  EXPECT_THAT(no_directory.out, IsEmpty());
}

TEST_F(ClientEncodeTest, TextsHaveTheClassesOfTransformers) {
  std::string arguments;
  std::ofstream lines(dir_ / "lines");
  std::vector<json> cases;
  const json golden = GoldenOf("bert-sequence");
  for (const json& test : golden["cases"]) {
    if (test.contains("types")) continue;
    cases.push_back(test);
    arguments += " --text " + Quote(TextOf(test["ids"]));
    lines << TextOf(test["ids"]) << '\n';
  }
  lines.close();
  const std::vector<json> answers = JsonLines("attendant classify --json --logits" + arguments);
  ASSERT_EQ(answers.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(answers[i]["logits"][c].get<float>(), cases[i]["logits"][c].get<float>(), 1e-5);
    }
  }
  const Finished from_file = Run("attendant classify --texts lines --top-k 1");
  const Finished from_stdin = Run("attendant classify --texts - --top-k 1 <lines");
  EXPECT_EQ(from_file.out, from_stdin.out);
  const auto rows = Lines(from_file.out);
  ASSERT_EQ(rows.size(), cases.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(Fields(rows[i])[0], std::to_string(i + 1));
    EXPECT_EQ(Fields(rows[i])[1], answers[i]["labels"][0]["name"].get<std::string>());
  }
}

TEST_F(ClientEncodeTest, EveryFormatHasTheSameVectors) {
  const Finished written = Run("for i in $(seq 3 80); do echo t$i t$((i / 2 + 2)) t9; done >many");
  ASSERT_EQ(written.exit_code, 0);
  const std::vector<json> objects = JsonLines("attendant embed --model bert --input many --batch 5");
  ASSERT_EQ(objects.size(), 78U);
  const auto csv = Lines(Run("attendant embed --model bert --format csv <many").out);
  ASSERT_EQ(csv.size(), objects.size());
  const Finished npy = Run("attendant embed --model bert --format npy --input many --output many.npy");
  ASSERT_EQ(npy.exit_code, 0) << npy.err;
  const std::string array = ReadFile(dir_ / "many.npy");
  EXPECT_THAT(array.substr(0, 128), HasSubstr("'shape': (78, 32)"));
  ASSERT_EQ(array.size(), 128 + objects.size() * 32 * 4);
  for (size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(objects[i]["number"], i + 1);
    EXPECT_EQ(objects[i]["embedding"].size(), 32U);
    std::istringstream row(csv[i]);
    for (size_t d = 0; d < 32; ++d) {
      const auto number = objects[i]["embedding"][d].get<float>();
      std::string cell;
      ASSERT_TRUE(std::getline(row, cell, ','));
      EXPECT_EQ(std::stof(cell), number);
      float stored = 0;  // Tests run where float is little-endian.
      std::memcpy(&stored, &array[128 + (i * 32 + d) * 4], sizeof stored);
      EXPECT_EQ(stored, number);
    }
  }
}

TEST_F(ClientEncodeTest, VectorsAreNormalisedAndCutAsAskedFor) {
  const std::vector<json> objects = JsonLines(
      "attendant embed --model bert --normalize --dimensions 7 't3 t4' && "
      "attendant embed --model bert --no-normalize --dimensions 7 't3 t4'");
  ASSERT_EQ(objects.size(), 2U);
  double squares = 0;
  double dot = 0;
  double plain_squares = 0;
  ASSERT_EQ(objects[0]["embedding"].size(), 7U);
  for (size_t d = 0; d < 7; ++d) {
    const double unit = objects[0]["embedding"][d];
    const double plain = objects[1]["embedding"][d];
    squares += unit * unit;
    plain_squares += plain * plain;
    dot += unit * plain;
  }
  EXPECT_NEAR(squares, 1, 1e-5);
  EXPECT_NEAR(dot, std::sqrt(plain_squares), 1e-5) << "the same direction";
  EXPECT_GT(std::abs(plain_squares - 1), 0.1);
}

TEST_F(ClientEncodeTest, ImagesAreEmbedded) {
  const std::vector<json> objects = JsonLines("attendant embed --images --normalize" +
                                              ImageArgument("gen-420.jpg") + ImageArgument("gen-rgb.jpg"));
  ASSERT_EQ(objects.size(), 2U);
  double squares = 0;
  for (const json& value : objects[0]["embedding"]) squares += value.get<double>() * value.get<double>();
  EXPECT_NEAR(squares, 1, 1e-5);
  EXPECT_EQ(objects[1]["file"], kImages + "gen-rgb.jpg");
}

TEST_F(ClientEncodeTest, SimilarityIsATableAndAPicture) {
  const Finished run =
      Run("attendant embed --model bert --similarity --plot --output-image map.svg 't3 t4' 't5' 't3 t4'");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto lines = Lines(run.out);
  ASSERT_GT(lines.size(), 5U);
  EXPECT_THAT(lines[1], StartsWith("1   1.000"));
  EXPECT_THAT(lines[1], HasSubstr("1.000  t3 t4")) << "the third text is the first";
  EXPECT_THAT(run.out, HasSubstr(", t3 t4\n"));
  EXPECT_THAT(ReadFile(dir_ / "map.svg"), HasSubstr("<title>t5 - t3 t4: 0."));
}

TEST_F(ClientEncodeTest, ATableOfVectorsNeedsEveryInput) {
  std::string too_long;
  for (int i = 0; i < 49; ++i) too_long += "t7 ";  // The model has 48 positions.
  const std::string texts = " t3 " + Quote(too_long) + " t4";
  const Finished cut = Run("attendant embed --model bert" + texts);
  EXPECT_EQ(cut.exit_code, 0);
  EXPECT_THAT(cut.err, HasSubstr("1 of 3 texts were longer than the model takes"));
  const Finished refused = Run("attendant embed --model bert --refuse-truncation" + texts);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(Lines(refused.out).size(), 3U);
  EXPECT_EQ(json::parse(Lines(refused.out)[1])["error"]["code"], "INVALID_ARGUMENT");
  EXPECT_THAT(refused.err, HasSubstr("text 2: "));
  EXPECT_THAT(refused.err, Not(HasSubstr("t7"))) << "messages do not repeat texts";
  const Finished table =
      Run("attendant embed --model bert --refuse-truncation --format npy --output table.npy" + texts);
  EXPECT_EQ(table.exit_code, 1);
  EXPECT_FALSE(fs::exists(dir_ / "table.npy"));
}

TEST_F(ClientEncodeTest, WordsHaveTheLabelsOfTransformers) {
  const std::vector<std::string> names = {"bad", "good", "so-so"};
  std::string expected;
  std::string arguments;
  const json golden = GoldenOf("bert-tokens");
  for (const json& test : golden["cases"]) {
    if (test.contains("types")) continue;
    arguments += " " + Quote(TextOf(test["ids"]));
    for (size_t w = 0; w < test["ids"].size(); ++w) {
      const std::vector<float> logits = test["logits"][w];
      const auto best = static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      expected += (w > 0 ? " t" : "t") + std::to_string(test["ids"][w].get<int>()) + "/" + names[best];
    }
    expected += '\n';
  }
  const Finished run = Run("attendant label" + arguments);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, expected);
  const std::vector<json> objects = JsonLines("printf '  t3 t4\\nt5\\n' | attendant label --json");
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0]["words"][1]["text"], "t4");
  EXPECT_EQ(objects[0]["words"][1]["begin_byte"], 5);
  EXPECT_EQ(objects[1]["number"], 2);
}

TEST_F(ClientEncodeTest, ModelsTellTheirTasks) {
  const std::string table = Run("attendant models").out;
  EXPECT_THAT(table, HasSubstr("embed_image, classify_image  3       32"));
  EXPECT_THAT(table, Not(HasSubstr("LANGUAGES"))) << "none of these translates";
  for (const json& model : JsonLines("attendant models --json")) {
    EXPECT_EQ(model["embedding_dimensions"], 32);
    EXPECT_FALSE(model["tasks"].empty());
  }
}

TEST_F(ClientEncodeTest, WrongRequestsEndTheRunWithOneLine) {
  const Finished several = Run("attendant embed t3 t4 t5");
  EXPECT_EQ(several.exit_code, 1);
  EXPECT_THAT(several.err, HasSubstr("several serve embed_text"));
  EXPECT_EQ(Lines(several.err).size(), 1U);
  const Finished unfit = Run("attendant label --model bert t3 t4");
  EXPECT_EQ(unfit.exit_code, 1);
  EXPECT_THAT(unfit.err, HasSubstr("label_tokens"));
  EXPECT_EQ(Run("attendant classify").exit_code, 2);
  EXPECT_EQ(Run("attendant classify --text t3 x.jpg").exit_code, 2);
  EXPECT_EQ(Run("attendant embed --format npy t3").exit_code, 2);
  EXPECT_EQ(Run("attendant embed --images --prompt query x.jpg").exit_code, 2);
  for (const char* command : {"classify --text x", "embed x", "label x"}) {
    const Finished run = Run(std::string("attendant ") + command + " --server 127.0.0.1:1");
    EXPECT_EQ(run.exit_code, 3) << command;
    EXPECT_THAT(run.err, HasSubstr("cannot reach 127.0.0.1:1: start attendant-server"));
    EXPECT_THAT(Run(std::string("attendant ") + command + " --help").out, HasSubstr("Examples:"));
  }
}

TEST_F(ClientEncodeTest, AMissedDeadlineIsExitCodeFour) {
  const Finished run = Run(
      "for i in $(seq 256); do echo t3 t4 t5 t6 t7 t8 t9 t3 t4 t5 t6 t7 t8 t9 t3 t4 t5 t6 t7; done >long; "
      "attendant embed --model bert --input long --batch 256 --deadline 1ms --output none");
  EXPECT_EQ(run.exit_code, 4) << run.err;
  EXPECT_THAT(run.err, HasSubstr("--deadline"));
}

TEST_F(ClientEncodeTest, AClosedPipeEndsQuietly) {
  const Finished run = Run("yes 't3 t4' | attendant label | head -n 3; echo ${PIPESTATUS[1]}");
  EXPECT_THAT(Lines(run.out), ElementsAre("t3/good t4/good", "t3/good t4/good", "t3/good t4/good", "0"));
  EXPECT_THAT(run.err, IsEmpty());
}

TEST_F(ClientEncodeTest, AnInterruptKeepsTheRowsThatAreDone) {
  // The interrupt comes when the first row is there; the input has no end.
  const Finished run = Run(
      "mkfifo fifo; exec 3<>fifo; echo t3 >&3\n" + Quote(Binary("attendant")) +
      " embed --model bert --format npy --input fifo --output rows.npy & pid=$!\n"
      "rows() { cat rows.npy.* 2>/dev/null | wc -c; }\n"
      "while [ $(rows) -lt 256 ]; do read -t 0.05 <> <(:) || :; done; kill -INT $pid; wait $pid; echo $?");
  EXPECT_EQ(run.out, "130\n");
  EXPECT_THAT(run.err, HasSubstr("interrupted after 1 texts"));
  EXPECT_THAT(ReadFile(dir_ / "rows.npy.partial"), HasSubstr("'shape': (1, 32)"));
}

// Entities need labels that begin with B- and I-: the same weights under other names.
class ClientEntityTest : public ClientFixture {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "attendant_entities_XXXXXX").string();
    model_ = mkdtemp(name.data());
    for (const char* file : {"model.safetensors", "tokenizer.json"}) {
      fs::copy_file(kEncoders + "bert-tokens/" + file, model_ / file);
    }
    json config = json::parse(std::ifstream(kEncoders + "bert-tokens/config.json"));
    config["id2label"] = {{"0", "O"}, {"1", "I-PER"}, {"2", "B-PER"}};
    config["label2id"] = {{"O", 0}, {"I-PER", 1}, {"B-PER", 2}};
    std::ofstream(model_ / "config.json") << config;
    StartServer({"--model", "names=" + model_.string()});
  }
  static void TearDownTestSuite() {
    StopServer();
    fs::remove_all(model_);
  }
  inline static fs::path model_;
};

TEST_F(ClientEntityTest, EntitiesStandBelowTheirText) {
  const Finished run = Run("attendant label 't3 t4'");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "t3/I-PER t4/I-PER");
  EXPECT_THAT(lines[1], StartsWith("\tPER\tt3 t4\t0."));
  const json object = json::parse(Run("attendant label --json 't3 t4'").out);
  const double mean =
      (object["words"][0]["probability"].get<double>() + object["words"][1]["probability"].get<double>()) / 2;
  EXPECT_NEAR(object["entities"][0]["probability"].get<double>(), mean, 1e-6);
}

}  // namespace
}  // namespace attendant
