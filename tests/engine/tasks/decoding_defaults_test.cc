#include "engine/tasks/decoding_defaults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/engine/tasks/shipped_model.h"

namespace attendant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DecodingDefaultsTest : public testing::Test {
 protected:
  DecodingDefaultsTest() {
    model_.vocab_size = 8002;
    model_.max_target_tokens = 512;
    model_.decoder_start_token = 8001;
    config_.tokens.eos = {0};
    config_.tokens.forced_eos = {0};
    config_.tokens.decoder_start = 8001;
    config_.num_beams = 4;
  }
  DecodingOptions Default() { return DefaultDecoding(config_, model_, 1); }
  absl::StatusOr<DecodingOptions> Resolve() {
    return ResolveOptions(Default(), request_, ShippedTokenizer(), model_);
  }
  // The message of the error that there is to be.
  std::string Error() {
    const absl::Status status = Resolve().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  Seq2Seq::Info model_;
  GenerationConfig config_;
  TranslationOptions request_;
};

TEST_F(DecodingDefaultsTest, MaxLengthLeavesOutTheStartToken) {
  config_.max_length = 512;
  EXPECT_EQ(Default().max_length, 511);
  config_.max_length = 2000;
  EXPECT_EQ(Default().max_length, 512);
  config_.max_length.reset();
  EXPECT_EQ(Default().max_length, 512);
  config_.max_new_tokens = 7;
  EXPECT_EQ(Default().max_length, 7);
}

TEST_F(DecodingDefaultsTest, TokensTakeTheirRoles) {
  config_.bad_words_ids = {{8001}, {5, 6}};
  config_.suppress_tokens = {9};
  config_.forced_bos = 77;
  const DecodingOptions options = Default();
  EXPECT_THAT(options.suppress_sequences, ElementsAre(ElementsAre(8001), ElementsAre(5, 6), ElementsAre(9)));
  EXPECT_THAT(options.target_prefix, ElementsAre(77));
  EXPECT_THAT(options.end_tokens, ElementsAre(0));
  EXPECT_EQ(options.start_token, 8001);
  EXPECT_EQ(options.unk_token, 1);
  EXPECT_TRUE(options.force_end_at_max_length);
}

TEST_F(DecodingDefaultsTest, ForcedEndTokenComesFirstOrIsReportedAsIgnored) {
  config_.tokens.eos = {0, 3};
  config_.tokens.forced_eos = {3};
  EXPECT_THAT(Default().end_tokens, ElementsAre(3, 0));
  config_.tokens.forced_eos = {4};
  EXPECT_FALSE(Default().force_end_at_max_length);
  EXPECT_THAT(IgnoredGenerationKeys(config_), ElementsAre("forced_eos_token_id"));
  config_.tokens.forced_eos = {};
  EXPECT_FALSE(Default().force_end_at_max_length);
  EXPECT_TRUE(IgnoredGenerationKeys(config_).empty());
}

TEST_F(DecodingDefaultsTest, RequestGoesBeforeDefault) {
  config_.length_penalty = 0.5f;
  config_.no_repeat_ngram_size = 3;
  request_.beam_size = 2;
  request_.length_penalty = 1.5f;
  const auto options = Resolve();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->beam_size, 2);
  EXPECT_EQ(options->length_penalty, 1.5f);
  EXPECT_EQ(options->no_repeat_ngram_size, 3);
}

TEST_F(DecodingDefaultsTest, DefaultsGiveWayToWhatTheRequestSets) {
  config_.num_return_sequences = 4;
  config_.min_length = 20;
  request_.beam_size = 2;
  request_.max_length = 5;
  const auto options = Resolve();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->num_hypotheses, 2);
  EXPECT_EQ(options->min_length, 5);
}

TEST_F(DecodingDefaultsTest, SampleAloneNeedsNoBeamSize) {
  request_.sample = true;
  request_.num_hypotheses = 3;
  const auto options = Resolve();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->beam_size, 1);
  EXPECT_EQ(options->num_hypotheses, 3);
  request_.beam_size = 4;
  EXPECT_THAT(Error(), HasSubstr("sample"));
}

TEST_F(DecodingDefaultsTest, ErrorsNameTheField) {
  request_.beam_size = 0;
  EXPECT_THAT(Error(), HasSubstr("beam_size"));
  request_ = {};
  request_.num_hypotheses = 5;
  EXPECT_THAT(Error(), HasSubstr("num_hypotheses"));
  request_ = {};
  request_.end_token = "no such piece";
  EXPECT_THAT(Error(), HasSubstr("end_token"));
  request_ = {};
  request_.suppress_sequences = {"ein", ""};
  EXPECT_THAT(Error(), HasSubstr("suppress_sequences[1]"));
  request_ = {};
  request_.target_prefix = "Das ist ein langer Anfang.";
  request_.max_length = 3;
  EXPECT_THAT(Error(), HasSubstr("target_prefix"));
}

TEST_F(DecodingDefaultsTest, MaxLengthReachesTheModelsPositionsAndNoFurther) {
  for (const int32_t length : {511, 512}) {
    request_.max_length = length;
    EXPECT_TRUE(Resolve().ok()) << length;
  }
  request_.max_length = 513;
  EXPECT_THAT(Error(), HasSubstr("max_length"));
}

TEST_F(DecodingDefaultsTest, EndTokenIsFoundByItsPiece) {
  request_.end_token = ",";
  const auto options = Resolve();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->end_tokens, ElementsAre(4));
}

TEST_F(DecodingDefaultsTest, AttentionIsAskedForWhereItIsNeeded) {
  EXPECT_FALSE(Resolve()->return_attention);
  request_.replace_unknowns = true;
  EXPECT_TRUE(Resolve()->return_attention);
  request_.replace_unknowns = false;
  request_.return_alignment = true;
  EXPECT_TRUE(Resolve()->return_attention);
}

TEST_F(DecodingDefaultsTest, TargetPrefixFollowsTheModelsOwn) {
  config_.forced_bos = 77;
  request_.target_prefix = "Das";
  const std::vector<int32_t> prefix = TargetPrefix(Default(), request_, ShippedTokenizer());
  ASSERT_EQ(prefix.size(), 2u);
  EXPECT_EQ(prefix[0], 77);
  EXPECT_EQ(ShippedTokenizer().TargetPiece(prefix[1]), "▁Das");
  EXPECT_THAT(Resolve()->target_prefix, ElementsAre(77));  // Of the other sentences.
}

}  // namespace
}  // namespace attendant
