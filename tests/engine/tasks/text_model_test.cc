#include "engine/tasks/text_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/engine/scheduler/toy_jobs.h"

namespace attendant {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

// The tiny BERT of the golden files, whose tokens are "t0", "t1", ..., in a directory that a test may change.
class TextModelTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::path(testing::TempDir()) / "attendant-text-model";
    fs::remove_all(dir_);
    fs::copy(ATTENDANT_SOURCE_DIR "/tests/golden/encoders/bert", dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  void SetTemplate(const json& single) const {
    json tokenizer = json::parse(std::ifstream(dir_ / "tokenizer.json"));
    tokenizer["post_processor"] = {{"type", "TemplateProcessing"},
                                   {"single", single},
                                   {"pair", json::array({{{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                                                         {{"Sequence", {{"id", "B"}, {"type_id", 0}}}}})},
                                   {"special_tokens", json::object()}};
    std::ofstream(dir_ / "tokenizer.json") << tokenizer;
  }
  absl::StatusOr<TextEmbedding> Embed(EmbedTextRequest request) {
    EncodePipelineOptions options;
    options.num_workers = 1;
    const auto model = TextModel::Load(dir_, options, observer_, Clock::Real());
    if (!model.ok()) return model.status();
    std::promise<absl::StatusOr<TextEmbedding>> answer;
    (*model)->Embed(std::move(request),
                    [&answer](absl::StatusOr<TextEmbedding> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }
  static EmbedTextRequest Text(const std::string& text) {
    EmbedTextRequest request;
    request.text = text;
    return request;
  }

  fs::path dir_;
  CountingObserver observer_;
};

TEST_F(TextModelTest, TokenTypesThatTheModelDoesNotHaveAreRefused) {
  SetTemplate(json::array({{{"Sequence", {{"id", "A"}, {"type_id", 1}}}}}));
  EXPECT_TRUE(Embed(Text("t3 t4")).ok()) << "it has two";
  SetTemplate(json::array({{{"Sequence", {{"id", "A"}, {"type_id", 2}}}}}));
  const auto refused = Embed(Text("t3 t4"));
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("token types"));
}

TEST_F(TextModelTest, TemplateThatRepeatsTheTextStaysWithinThePositions) {
  const json once = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  SetTemplate(json::array({once, once, once}));
  std::string text;
  for (int i = 0; i < 40; ++i) text += "t7 ";
  const auto answer = Embed(Text(text));
  if (answer.ok()) {
    EXPECT_LE(answer->tokens, 48);
  } else {
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kFailedPrecondition) << answer.status();
  }
}

TEST_F(TextModelTest, PromptsLowerCaseAndLimitAreThoseOfSentenceTransformers) {
  std::ofstream(dir_ / "modules.json") << R"([{"type": "m.Transformer", "path": ""},
    {"type": "m.Pooling", "path": "1_Pooling"}, {"type": "m.Normalize", "path": "2_Normalize"}])";
  fs::create_directories(dir_ / "1_Pooling");
  std::ofstream(dir_ / "1_Pooling/config.json") << "{}";
  std::ofstream(dir_ / "config_sentence_transformers.json") << R"({"prompts": {"query": "t9 T8 "}})";
  std::ofstream(dir_ / "sentence_bert_config.json") << R"({"max_seq_length": 4, "do_lower_case": true})";
  EmbedTextRequest prompted = Text("  T5\n");
  prompted.prompt = "query";
  const auto answer = Embed(prompted), plain = Embed(Text("t9 t8 t5"));
  ASSERT_TRUE(answer.ok() && plain.ok()) << answer.status() << plain.status();
  EXPECT_EQ(answer->values, plain->values);
  EXPECT_EQ(answer->tokens, 3);
  EXPECT_TRUE(Embed(Text("t1 t2 t3 t4 t5"))->truncated);
  EXPECT_FALSE(Embed(Text("t1 t2 t3 t4"))->truncated);
}

TEST_F(TextModelTest, ExpiredInputIsNotEncoded) {
  EmbedTextRequest late = Text("t3");
  late.deadline = Clock::Real().Now();
  EXPECT_EQ(Embed(late).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(observer_.DropsFor(DropReason::kExpiredInQueue), 1);
}

}  // namespace
}  // namespace attendant
