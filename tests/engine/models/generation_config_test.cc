#include "engine/models/generation_config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace attendant {
namespace {

using StopRule = GenerationConfig::StopRule;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

GenerationContext Context() {
  return {.vocab_size = 100,
          .model_tokens = {.pad = 99, .bos = -1, .eos = {0}, .decoder_start = 99, .forced_eos = {0}}};
}

absl::StatusOr<GenerationConfig> ParseGeneration(const std::string& text) {
  return ParseGenerationConfig(text, "generation_config.json", Context());
}

TEST(GenerationConfigTest, EmptyFileGivesTheDefaultsOfTransformers) {
  const auto config = ParseGeneration("{}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->MaxGeneratedTokens(), std::nullopt);
  EXPECT_EQ(config->MinTokensBeforeEnd(), 0);
  EXPECT_EQ(config->num_beams, 1);
  EXPECT_EQ(config->num_return_sequences, 1);
  EXPECT_EQ(config->length_penalty, 1);
  EXPECT_EQ(config->early_stopping, StopRule::kHeuristic);
  EXPECT_EQ(config->repetition_penalty, 1);
  EXPECT_EQ(config->no_repeat_ngram_size, 0);
  EXPECT_FALSE(config->do_sample);
  EXPECT_EQ(config->top_k, 50);
  EXPECT_FALSE(config->renormalize_logits);
  EXPECT_EQ(config->forced_bos, -1);
  EXPECT_THAT(config->ignored_keys, IsEmpty());
}

TEST(GenerationConfigTest, ReadsEveryField) {
  const auto config =
      ParseGeneration(R"({"max_length": 51, "min_length": 4, "num_beams": 6, "num_return_sequences": 5,
      "length_penalty": 0.6, "early_stopping": "never", "repetition_penalty": 1.3, "no_repeat_ngram_size": 3,
      "bad_words_ids": [[99], [1, 2]], "forced_bos_token_id": 7, "forced_eos_token_id": [0, 3], "decoder_start_token_id": 98,
      "bos_token_id": 8, "eos_token_id": [0, 4], "pad_token_id": 97, "do_sample": true, "temperature": 0.7, "top_k": 0, "top_p": 0.9,
      "suppress_tokens": [5, 6], "renormalize_logits": true})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->MaxGeneratedTokens(), 50);
  EXPECT_EQ(config->MinTokensBeforeEnd(), 3);
  EXPECT_EQ(config->num_beams, 6);
  EXPECT_EQ(config->num_return_sequences, 5);
  EXPECT_EQ(config->length_penalty, 0.6F);
  EXPECT_EQ(config->early_stopping, StopRule::kNever);
  EXPECT_EQ(config->repetition_penalty, 1.3F);
  EXPECT_EQ(config->no_repeat_ngram_size, 3);
  EXPECT_THAT(config->bad_words_ids, ElementsAre(ElementsAre(99), ElementsAre(1, 2)));
  EXPECT_EQ(config->forced_bos, 7);
  EXPECT_THAT(config->tokens.forced_eos, ElementsAre(0, 3));
  EXPECT_EQ(config->tokens.decoder_start, 98);
  EXPECT_EQ(config->tokens.bos, 8);
  EXPECT_THAT(config->tokens.eos, ElementsAre(0, 4));
  EXPECT_EQ(config->tokens.pad, 97);
  EXPECT_TRUE(config->do_sample);
  EXPECT_EQ(config->temperature, 0.7F);
  EXPECT_EQ(config->top_k, 0);
  EXPECT_EQ(config->top_p, 0.9F);
  EXPECT_THAT(config->suppress_tokens, ElementsAre(5, 6));
  EXPECT_TRUE(config->renormalize_logits);
}

TEST(GenerationConfigTest, NewTokensGoBeforeLengths) {
  const auto config =
      ParseGeneration(R"({"max_length": 51, "max_new_tokens": 9, "min_length": 4, "min_new_tokens": 6})")
          .value();
  EXPECT_EQ(config.MaxGeneratedTokens(), 9);
  EXPECT_EQ(config.MinTokensBeforeEnd(), 6);
}

TEST(GenerationConfigTest, TellsTheThreeWaysToStop) {
  EXPECT_EQ(ParseGeneration(R"({"early_stopping": true})").value().early_stopping, StopRule::kAtBeams);
  EXPECT_EQ(ParseGeneration(R"({"early_stopping": false})").value().early_stopping, StopRule::kHeuristic);
  EXPECT_EQ(ParseGeneration(R"({"early_stopping": null})").value().early_stopping, StopRule::kHeuristic);
}

TEST(GenerationConfigTest, DropsBadWordsThatAreAnEndToken) {
  const auto config = ParseGeneration(R"({"bad_words_ids": [[0], [0, 1], [2]]})").value();
  EXPECT_THAT(config.bad_words_ids, ElementsAre(ElementsAre(0, 1), ElementsAre(2)));
}

TEST(GenerationConfigTest, RolesComeFromTheModelButForForcedEnd) {
  const auto config = ParseGeneration("{}").value();
  EXPECT_EQ(config.tokens.pad, 99);
  EXPECT_EQ(config.tokens.decoder_start, 99);
  EXPECT_THAT(config.tokens.eos, ElementsAre(0));
  EXPECT_THAT(config.tokens.forced_eos, IsEmpty());
}

TEST(GenerationConfigTest, ListsKeysThatItDoesNotFollow) {
  const auto config =
      ParseGeneration(R"({"typical_p": 0.9, "num_beam_groups": 2, "diversity_penalty": 0.0, "min_p": null,
      "begin_suppress_tokens": [], "use_cache": true, "transformers_version": "5.12"})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->ignored_keys, ElementsAre("num_beam_groups", "typical_p"));
}

TEST(GenerationConfigTest, RefusesWrongValues) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {R"({"num_beams": "4"})", "num_beams: expected integer, got string"},
           {R"({"num_beams": 33})", "num_beams: 33 is not in 1 to 32"},
           {R"({"num_beams": 2, "num_return_sequences": 3})",
            "num_return_sequences: 3 is more than num_beams, 2, and do_sample is off"},
           {R"({"max_length": 0})", "max_length: 0 is not in 1 to 1.04858e+06"},
           {R"({"early_stopping": "maybe"})", "early_stopping: expected true, false or \"never\""},
           {R"({"temperature": 0})", "temperature: 0 is not in 1e-06 to 1e+06"},
           {R"({"top_p": 1.5})", "top_p: 1.5 is not in 1e-06 to 1"},
           {R"({"eos_token_id": 100})", "eos_token_id: 100 is not in 0 to 99"},
           {R"({"bad_words_ids": [[100]]})", "bad_words_ids: 100 is not in 0 to 99"},
           {R"({"bad_words_ids": [[]]})", "bad_words_ids: holds an empty list"},
           {R"({"suppress_tokens": [-1]})", "suppress_tokens: -1 is not in 0 to 99"}}) {
    const auto status = ParseGeneration(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_EQ(status.message(), "generation_config.json: " + why);
  }
}

TEST(GenerationConfigTest, AcceptsTheEdgesOfRanges) {
  EXPECT_TRUE(ParseGeneration(R"({"num_beams": 32, "num_return_sequences": 32})").ok());
  EXPECT_TRUE(ParseGeneration(R"({"max_length": 1, "top_p": 1, "eos_token_id": 99})").ok());
  EXPECT_TRUE(ParseGeneration(R"({"num_beams": 1, "num_return_sequences": 3, "do_sample": true})").ok());
}

TEST(GenerationConfigTest, LegacyKeysKeepTheModelsForcedEnd) {
  const auto config = ParseLegacyGenerationConfig(
      R"({"model_type": "marian", "num_beams": 6, "max_length": 512, "bad_words_ids": [[99]], "d_model": 512})",
      "config.json", Context());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->num_beams, 6);
  EXPECT_EQ(config->MaxGeneratedTokens(), 511);
  EXPECT_THAT(config->tokens.forced_eos, ElementsAre(0));
  EXPECT_THAT(config->bad_words_ids, ElementsAre(ElementsAre(99)));
}

class LoadGenerationConfigTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(dir_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ + "/" + name) << text;
  }
  std::string dir_ = std::filesystem::temp_directory_path() / "attendant-test-XXXXXX";
};

TEST_F(LoadGenerationConfigTest, FallsBackToConfigOnlyWhenThereIsNoFile) {
  EXPECT_EQ(LoadGenerationConfig(dir_, Context()).status().code(), absl::StatusCode::kNotFound);
  Write("config.json", R"({"num_beams": 6})");
  EXPECT_EQ(LoadGenerationConfig(dir_, Context()).value().num_beams, 6);
  Write("generation_config.json", R"({"num_beams": 2})");
  EXPECT_EQ(LoadGenerationConfig(dir_, Context()).value().num_beams, 2);
  Write("generation_config.json", R"({"num_beams": )");
  EXPECT_EQ(LoadGenerationConfig(dir_, Context()).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace attendant
