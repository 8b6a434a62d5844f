#include "engine/tasks/sentence_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/tasks/class_scores.h"
#include "engine/tasks/word_labels.h"

namespace attendant {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
namespace fs = std::filesystem;

// A sentence-transformers directory around an encoder of two numbers a token.
class SentenceModulesTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::path(testing::TempDir()) / "attendant-modules";
    fs::remove_all(dir_);
    fs::create_directories(dir_ / "1_Pooling");
  }
  void TearDown() override { fs::remove_all(dir_); }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(dir_ / name) << text; }
  void WriteModules(const std::vector<std::string>& kinds) const {
    std::string list;
    for (size_t i = 0; i < kinds.size(); ++i) {
      const std::string path = kinds[i] == "Pooling" ? "1_Pooling" : "";
      list += (i == 0 ? "[" : ",") + std::string(R"({"type": "sentence_transformers.models.)") + kinds[i] +
              R"(", "path": ")" + path + "\"}";
    }
    Write("modules.json", list + "]");
  }
  std::vector<float> Embed(const std::string& pooling, int32_t skipped = 0) const {
    WriteModules({"Transformer", "Pooling"});
    Write("1_Pooling/config.json", pooling);
    const auto modules = SentenceModules::Load(dir_, 2);
    EXPECT_TRUE(modules.ok()) << modules.status();
    const std::vector<float> hidden = {1, -8, 4, 2, 1, 3};  // Three tokens.
    std::vector<float> embedding(static_cast<size_t>(modules->embedding_dim()));
    Workspace workspace;
    modules->Embed(hidden.data(), 3, skipped, embedding.data(), workspace);
    return embedding;
  }
  absl::Status LoadStatus() const { return SentenceModules::Load(dir_, 2).status(); }

  fs::path dir_;
};

constexpr char kNoMean[] = R"({"pooling_mode_mean_tokens": false, )";

TEST_F(SentenceModulesTest, EachPoolingIsItsFormula) {
  EXPECT_THAT(Embed("{}"), ElementsAre(2, -1)) << "the mean, unless it says otherwise";
  EXPECT_THAT(Embed(std::string(kNoMean) + R"("pooling_mode_cls_token": true})"), ElementsAre(1, -8));
  EXPECT_THAT(Embed(std::string(kNoMean) + R"("pooling_mode_max_tokens": true})"), ElementsAre(4, 3));
  EXPECT_THAT(Embed(std::string(kNoMean) + R"("pooling_mode_lasttoken": true})"), ElementsAre(1, 3));
  const float root = std::sqrt(3.0f);
  EXPECT_THAT(Embed(std::string(kNoMean) + R"("pooling_mode_mean_sqrt_len_tokens": true})"),
              ElementsAre(FloatNear(2 * root, 1e-5f), FloatNear(-root, 1e-5f)));
  EXPECT_THAT(Embed(std::string(kNoMean) + R"("pooling_mode_weightedmean_tokens": true})"),
              ElementsAre(FloatNear(12.0f / 6, 1e-6f), FloatNear(5.0f / 6, 1e-6f)));
  EXPECT_THAT(Embed(R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})"),
              ElementsAre(1, -8, 2, -1))
      << "side by side";
  EXPECT_THAT(Embed("{}", 1), ElementsAre(2.5, 2.5)) << "a prompt's token does not count";
  EXPECT_THAT(Embed(R"({"pooling_mode": "cls"})", 1), ElementsAre(4, 2));
}

TEST_F(SentenceModulesTest, PoolingModeIsANameOrAListInItsOrder) {
  EXPECT_THAT(Embed(R"({"embedding_dimension": 2, "pooling_mode": "max"})"), ElementsAre(4, 3));
  EXPECT_THAT(Embed(R"({"pooling_mode": ["mean", "cls"]})"), ElementsAre(2, -1, 1, -8));
  EXPECT_THAT(Embed(R"({"pooling_mode": "cls", "pooling_mode_mean_tokens": true})"), ElementsAre(1, -8))
      << "it overrides the flags of older versions";
  EXPECT_EQ(Embed(R"({"pooling_mode": ["cls", "cls", "cls", "cls", "cls", "cls"]})").size(), 12U);
  for (const char* wrong :
       {R"("median")", "[]", "3", R"(["cls", "cls", "cls", "cls", "cls", "cls", "cls"])", R"([["cls"]])"}) {
    Write("1_Pooling/config.json", std::string(R"({"pooling_mode": )") + wrong + "}");
    EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kDataLoss) << wrong;
  }
  Write("1_Pooling/config.json", R"({"embedding_dimension": 3})");
  EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SentenceModulesTest, ModulesOnOtherThanTheTextsVectorAreRefused) {
  Write("1_Pooling/config.json", "{}");
  fs::create_directories(dir_ / "2_X");
  const auto load = [this](const std::string& kind, const std::string& config) {
    Write("modules.json",
          R"([{"type": "m.Transformer", "path": ""}, {"type": "m.Pooling", "path": "1_Pooling"},
                              {"type": "m.)" +
              kind + R"(", "path": "2_X"}])");
    Write("2_X/config.json", config);
    return LoadStatus();
  };
  EXPECT_TRUE(load("Normalize", R"({"module_input_name": "sentence_embedding"})").ok());
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"Normalize", R"({"module_input_name": "token_embeddings"})"},
      {"Dense", R"({"in_features": 2, "out_features": 2, "module_output_name": "token_embeddings"})"},
      {"Dense", R"({"in_features": 2, "out_features": 2, "use_residual": true})"},
      {"Dense", R"({"in_features": 2, "out_features": 2, "activation_function": "my.Tanh"})"}};
  for (const auto& [kind, config] : refused) {
    EXPECT_EQ(load(kind, config).code(), absl::StatusCode::kFailedPrecondition) << config;
  }
}

TEST_F(SentenceModulesTest, WithoutModulesItIsTheMean) {
  const auto modules = SentenceModules::Load(dir_, 2);
  ASSERT_TRUE(modules.ok());
  EXPECT_FALSE(modules->is_of_sentence_transformers());
  EXPECT_EQ(modules->embedding_dim(), 2);
}

TEST_F(SentenceModulesTest, OtherOrdersAndOtherModulesAreRefused) {
  Write("1_Pooling/config.json", "{}");
  WriteModules({"Transformer", "Pooling", "Normalize"});
  EXPECT_TRUE(LoadStatus().ok()) << LoadStatus();
  for (const auto& kinds :
       std::vector<std::vector<std::string>>{{"Transformer", "Normalize", "Pooling"},
                                             {"Transformer", "Pooling", "Pooling"},
                                             {"Transformer", "Pooling", "Normalize", "Normalize"},
                                             {"Transformer", "Pooling", "LSTM"},
                                             {"Transformer"}}) {
    WriteModules(kinds);
    EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kFailedPrecondition) << kinds.back();
  }
  Write("modules.json", R"([{"type": "x.Pooling", "path": "../1_Pooling"}])");
  EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kFailedPrecondition);
  Write("modules.json", "{}");
  EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SentenceModulesTest, ThereAreAtMostSixtyFourModules) {
  Write("1_Pooling/config.json", "{}");
  for (const size_t count : {63, 64, 65}) {
    std::vector<std::string> kinds(count, "Transformer");
    kinds.back() = "Pooling";
    WriteModules(kinds);
    EXPECT_EQ(LoadStatus().code(),
              count <= 64 ? absl::StatusCode::kOk : absl::StatusCode::kFailedPrecondition)
        << count;
  }
}

TEST_F(SentenceModulesTest, ModulesAreWithinTheDirectory) {
  Write("1_Pooling/config.json", "{}");
  const fs::path outside = fs::path(testing::TempDir()) / "attendant-modules-outside";
  fs::create_directories(outside);
  std::ofstream(outside / "config.json") << "{}";
  fs::create_directory_symlink(outside, dir_ / "link");
  for (const std::string& path : {std::string("../attendant-modules-outside"), outside.string(),
                                  std::string("link"), std::string("1_Pooling/../1_Pooling"),
                                  std::string("."), std::string(".."), std::string("1_Pooling\\u0000")}) {
    for (const std::string kind : {"Pooling", "Dense"}) {
      const std::string pooling = kind == "Dense" ? R"({"type": "x.Pooling", "path": "1_Pooling"},)" : "";
      Write("modules.json", "[" + pooling + R"({"type": "x.)" + kind + R"(", "path": ")" + path + "\"}]");
      EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kFailedPrecondition) << path << " " << LoadStatus();
      EXPECT_THAT(std::string(LoadStatus().message()), HasSubstr("file name")) << path;
    }
  }
  fs::remove_all(outside);
}

TEST_F(SentenceModulesTest, FilesThatAreLinksOutOfTheDirectoryAreRefused) {
  const fs::path outside = fs::path(testing::TempDir()) / "attendant-modules-outside";
  fs::remove_all(outside);
  Write("1_Pooling/config.json", "{}");
  WriteModules({"Transformer", "Pooling"});
  for (const char* name : {"modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
                           "tokenizer_config.json", "config_sentence_transformers.json"}) {
    if (!fs::exists(dir_ / name)) Write(name, "{}");
    ASSERT_TRUE(LoadStatus().ok()) << LoadStatus();
    fs::rename(dir_ / name, outside);
    fs::create_symlink(outside, dir_ / name);
    EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kFailedPrecondition) << name;
    EXPECT_THAT(std::string(LoadStatus().message()), HasSubstr("leads out of the directory")) << name;
    fs::rename(outside, dir_ / name);
  }
  EXPECT_TRUE(LoadStatus().ok()) << LoadStatus();
}

TEST_F(SentenceModulesTest, LimitsAndPromptsComeFromTheirFiles) {
  Write("1_Pooling/config.json", R"({"word_embedding_dimension": 2, "include_prompt": false})");
  WriteModules({"Transformer", "Pooling"});
  Write("tokenizer_config.json", R"({"model_max_length": 77})");
  EXPECT_EQ(SentenceModules::Load(dir_, 2)->max_tokens(), 77);
  Write("tokenizer_config.json", R"({"model_max_length": 1e30})");
  EXPECT_EQ(SentenceModules::Load(dir_, 2)->max_tokens(), 0);
  Write("sentence_roberta_config.json", R"({"max_seq_length": 5, "do_lower_case": true})");
  Write("config_sentence_transformers.json",
        R"({"prompts": {"query": "q: ", "document": null}, "default_prompt_name": "query"})");
  const auto modules = SentenceModules::Load(dir_, 2);
  ASSERT_TRUE(modules.ok()) << modules.status();
  EXPECT_EQ(modules->max_tokens(), 5);
  EXPECT_TRUE(modules->lowercases());
  EXPECT_FALSE(modules->pools_prompt());
  EXPECT_EQ(modules->prompts().at(modules->default_prompt()), "q: ");
  EXPECT_EQ(modules->prompts().at("document"), "");
  Write("config_sentence_transformers.json", R"({"default_prompt_name": "none"})");
  EXPECT_THAT(std::string(LoadStatus().message()), HasSubstr("default_prompt_name"));
}

TEST(ClassScoresTest, SoftmaxSigmoidAndTop) {
  const std::vector<float> p = Softmax({1000, 1000, -1000});
  EXPECT_THAT(p, ElementsAre(0.5, 0.5, 0));
  EXPECT_THAT(Sigmoid({0, 1000, -1000}), ElementsAre(0.5, 1, 0));
  EXPECT_THAT(TopIndices({1, 3, 3, 2}, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(TopIndices({1, 3}, 5), ElementsAre(1, 0));
  EXPECT_FALSE(AllFinite({1, NAN}));
}

TEST(WordLabelsTest, FirstTokenDecidesAndEntitiesMerge) {
  Encoding encoding;  // [CLS] An na Smith went [SEP]
  encoding.ids = {1, 2, 3, 4, 5, 6};
  encoding.words = {-1, 0, 0, 1, 2, -1};
  encoding.spans = {{0, 0}, {0, 2}, {2, 4}, {5, 10}, {11, 15}, {0, 0}};
  const std::vector<std::string> labels = {"O", "B-PER", "I-PER"};
  const std::vector<float> logits = {9, 0, 0, 0, 9, 0, 9, 0, 0, 0, 0, 9, 9, 0, 0, 9, 0, 0};
  const std::vector<LabelledSpan> words = LabelWords(encoding, logits, labels.size());
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0].label, 1);
  EXPECT_EQ(words[0].end, 4U);
  const std::vector<LabelledSpan> entities = MergeEntities(words, labels);
  ASSERT_EQ(entities.size(), 1U);
  EXPECT_EQ(entities[0].begin, 0U);
  EXPECT_EQ(entities[0].end, 10U);
  EXPECT_TRUE(MergeEntities(words, std::vector<std::string>{"NOUN", "VERB", "X"}).empty());
}

}  // namespace
}  // namespace attendant
