#include "engine/decoding/decoder.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "engine/models/registry.h"

namespace attendant {
namespace {

class DecoderTest : public testing::Test {
 protected:
  static const Seq2Seq& Model() {
    static const auto& model = *new auto(LoadSeq2Seq(ATTENDANT_SOURCE_DIR "/models/translate-en-de"));
    return **model;
  }
  static Decoder MakeDecoder(int blocks) {
    const int64_t bytes = static_cast<int64_t>(Model().info().kv.block_bytes()) * blocks;
    return Decoder(Model(), *KvPool::Create(Model().info().kv, bytes));
  }
  static std::unique_ptr<Sequence> MakeSequence(int beam_size) {
    DecodingOptions options;
    options.beam_size = beam_size;
    options.max_length = 100;
    options.min_length = 90;  // Long enough to need several blocks.
    options.end_tokens = {0};
    options.start_token = Model().info().decoder_start_token;
    return *Sequence::Create({{197, 33, 6, 0}, options}, Model().info());
  }
  static std::vector<Hypothesis> RunAlone(int beam_size) {
    Decoder decoder = MakeDecoder(200);
    const auto sequence = MakeSequence(beam_size);
    Sequence* all[] = {sequence.get()};
    decoder.Start(all);
    while (!sequence->finished()) decoder.Step(all);
    std::vector<Hypothesis> hypotheses = sequence->TakeHypotheses();
    decoder.Release(*sequence);
    EXPECT_EQ(decoder.pool().free_blocks(), decoder.pool().num_blocks());
    return hypotheses;
  }
};

TEST_F(DecoderTest, JoiningLeavingAndRestartingChangeNoBit) {
  const std::vector<Hypothesis> greedy = RunAlone(1), beam = RunAlone(4);
  Decoder decoder = MakeDecoder(400);
  const auto first = MakeSequence(4), second = MakeSequence(1), third = MakeSequence(4);
  Sequence* early[] = {first.get(), third.get()};
  decoder.Start(early);
  for (int i = 0; i < 20; ++i) decoder.Step(early);
  decoder.Release(*third);  // Preempted: begins again later.
  Sequence* late[] = {second.get(), third.get()};
  decoder.Start(late);
  Sequence* all[] = {first.get(), second.get(), third.get()};
  while (!first->finished() || !second->finished() || !third->finished()) decoder.Step(all);
  const std::vector<std::pair<Sequence*, const Hypothesis*>> expected = {
      {first.get(), &beam[0]}, {second.get(), &greedy[0]}, {third.get(), &beam[0]}};
  for (const auto& [sequence, hypothesis] : expected) {
    const Hypothesis got = sequence->TakeHypotheses()[0];
    EXPECT_EQ(got.tokens, hypothesis->tokens);
    EXPECT_EQ(got.token_log_probs, hypothesis->token_log_probs);
    EXPECT_EQ(got.score, hypothesis->score);
    decoder.Release(*sequence);
  }
  EXPECT_EQ(decoder.pool().free_blocks(), decoder.pool().num_blocks());
}

TEST_F(DecoderTest, NothingLeaksWhenThePoolRunsDryWithinAStep) {
  for (int blocks = 2; blocks <= 15; ++blocks) {
    Decoder decoder = MakeDecoder(blocks);
    const auto first = MakeSequence(4), second = MakeSequence(1);
    Sequence* all[] = {first.get(), second.get()};
    EXPECT_THROW(
        {
          decoder.Start(all);
          while (!first->finished()) decoder.Step(all);
        },
        std::bad_alloc)
        << blocks;
    decoder.Release(*first);
    decoder.Release(*second);
    EXPECT_EQ(decoder.pool().free_blocks(), decoder.pool().num_blocks()) << blocks;
  }
}

TEST_F(DecoderTest, SourcesOutsideTheModelAreRefused) {
  DecodingOptions options;
  options.end_tokens = {0};
  const Seq2Seq::Info& info = Model().info();
  const auto code = [&](std::vector<int32_t> source) {
    return Sequence::Create({std::move(source), options}, info).status().code();
  };
  EXPECT_EQ(code({}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(std::vector<int32_t>(511, 5)), absl::StatusCode::kOk);
  EXPECT_EQ(code(std::vector<int32_t>(512, 5)), absl::StatusCode::kOk);
  EXPECT_EQ(code(std::vector<int32_t>(513, 5)), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({8001}), absl::StatusCode::kOk);
  EXPECT_EQ(code({8002}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({-1}), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace attendant
