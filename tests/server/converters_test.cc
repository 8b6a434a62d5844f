#include "server/converters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace attendant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Sets the field of this name from a number.
v1::TranslationOptions With(const std::string& field, double value) {
  using Field = google::protobuf::FieldDescriptor;
  v1::TranslationOptions options;
  const Field* descriptor = options.GetDescriptor()->FindFieldByName(field);
  const google::protobuf::Reflection& reflection = *options.GetReflection();
  if (descriptor->cpp_type() == Field::CPPTYPE_FLOAT) {
    reflection.SetFloat(&options, descriptor, static_cast<float>(value));
  } else {
    reflection.SetInt32(&options, descriptor, static_cast<int32_t>(value));
  }
  return options;
}

TEST(ConvertersTest, FieldsThatAreNotSetStayUnset) {
  const auto options = ToTask(v1::TranslationOptions());
  ASSERT_TRUE(options.ok());
  EXPECT_FALSE(options->beam_size.has_value());
  EXPECT_FALSE(options->sample.has_value());
  EXPECT_FALSE(options->seed.has_value());
  EXPECT_EQ(options->split, TranslationOptions::Split::kSentences);
}

TEST(ConvertersTest, FieldsThatAreSetToTheirZeroAreSet) {
  v1::TranslationOptions proto;
  proto.set_min_length(0);
  proto.set_sample(false);
  proto.set_seed(0);
  const auto options = ToTask(proto);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->min_length, 0);
  EXPECT_EQ(options->sample, false);
  EXPECT_EQ(options->seed, 0U);
}

TEST(ConvertersTest, EveryOptionArrives) {
  v1::TranslationOptions proto;
  proto.set_beam_size(4);
  proto.set_num_hypotheses(3);
  proto.set_patience(1.5F);
  proto.set_length_penalty(0.5F);
  proto.set_coverage_penalty(0.25F);
  proto.set_repetition_penalty(1.25F);
  proto.set_no_repeat_ngram_size(2);
  proto.set_min_length(1);
  proto.set_max_length(9);
  proto.set_temperature(0.75F);
  proto.set_top_k(10);
  proto.set_top_p(0.5F);
  proto.set_repetition_guard_tokens(8);
  proto.set_target_prefix("Das");
  proto.add_suppress_sequences("nie");
  proto.set_end_token("x");
  proto.set_disable_unk(true);
  proto.set_replace_unknowns(true);
  proto.set_return_alignment(true);
  proto.set_return_token_scores(true);
  proto.set_split(v1::TranslationOptions::SPLIT_NONE);
  const auto options = ToTask(proto);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->beam_size, 4);
  EXPECT_EQ(options->num_hypotheses, 3);
  EXPECT_EQ(options->patience, 1.5F);
  EXPECT_EQ(options->length_penalty, 0.5F);
  EXPECT_EQ(options->coverage_penalty, 0.25F);
  EXPECT_EQ(options->repetition_penalty, 1.25F);
  EXPECT_EQ(options->no_repeat_ngram_size, 2);
  EXPECT_EQ(options->min_length, 1);
  EXPECT_EQ(options->max_length, 9);
  EXPECT_EQ(options->temperature, 0.75F);
  EXPECT_EQ(options->top_k, 10);
  EXPECT_EQ(options->top_p, 0.5F);
  EXPECT_EQ(options->repetition_guard_tokens, 8);
  EXPECT_EQ(options->target_prefix, "Das");
  EXPECT_THAT(options->suppress_sequences, ElementsAre("nie"));
  EXPECT_EQ(options->end_token, "x");
  EXPECT_TRUE(options->disable_unk && options->replace_unknowns);
  EXPECT_TRUE(options->return_alignment && options->return_token_scores);
  EXPECT_EQ(options->split, TranslationOptions::Split::kNone);
}

struct Limit {
  const char* field;
  std::vector<double> good;
  std::vector<double> bad;
};

TEST(ConvertersTest, EachRangeEndsWhereTheSchemaSays) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Limit> limits = {
      {"beam_size", {1, 31, 32}, {0, -1, 33}},
      {"num_hypotheses", {1, 31, 32}, {0, -1, 33}},
      {"patience", {0, 8}, {-0.1, 8.5, nan, inf}},
      {"length_penalty", {-5, 0, 5}, {-5.5, 5.5, nan, inf, -inf}},
      {"coverage_penalty", {0, 10}, {-0.1, 10.5, nan}},
      {"repetition_penalty", {0.1, 1, 100}, {0, -1, 100.5, nan, inf}},
      {"no_repeat_ngram_size", {0, 64}, {-1, 65}},
      {"min_length", {0, 1}, {-1}},
      {"max_length", {1, 2}, {0, -1}},
      {"temperature", {0.1, 100}, {0, -1, 100.5, nan, inf}},
      {"top_k", {0, 1}, {-1}},
      {"top_p", {0.1, 1}, {0, -0.5, 1.01, nan}},
      {"repetition_guard_tokens", {0, 1}, {-1}},
  };
  for (const Limit& limit : limits) {
    for (const double value : limit.good)
      EXPECT_TRUE(ToTask(With(limit.field, value)).ok()) << limit.field << value;
    for (const double value : limit.bad) {
      const absl::Status status = ToTask(With(limit.field, value)).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << limit.field << " " << value;
      EXPECT_THAT(std::string(status.message()), HasSubstr(std::string("options.") + limit.field + ": "));
    }
  }
}

TEST(ConvertersTest, TextsAreBounded) {
  v1::TranslationOptions proto;
  proto.set_target_prefix(std::string(4096, 'a'));
  EXPECT_TRUE(ToTask(proto).ok());
  proto.set_target_prefix(std::string(4097, 'a'));
  EXPECT_THAT(std::string(ToTask(proto).status().message()), HasSubstr("options.target_prefix"));

  proto.Clear();
  for (int i = 0; i < 64; ++i) proto.add_suppress_sequences(std::string(256, 'a'));
  EXPECT_TRUE(ToTask(proto).ok());
  proto.add_suppress_sequences("a");
  EXPECT_THAT(std::string(ToTask(proto).status().message()), HasSubstr("options.suppress_sequences"));

  proto.Clear();
  proto.add_suppress_sequences("");
  EXPECT_FALSE(ToTask(proto).ok());
  proto.set_suppress_sequences(0, std::string(257, 'a'));
  EXPECT_FALSE(ToTask(proto).ok());

  proto.Clear();
  proto.set_end_token(std::string(257, 'a'));
  EXPECT_THAT(std::string(ToTask(proto).status().message()), HasSubstr("options.end_token"));
}

TEST(ConvertersTest, SplitThatDoesNotExistIsRefused) {
  v1::TranslationOptions proto;
  proto.set_split(static_cast<v1::TranslationOptions::Split>(7));
  EXPECT_THAT(std::string(ToTask(proto).status().message()), HasSubstr("options.split"));
}

TEST(ConvertersTest, DurationsKeepNanoseconds) {
  const auto duration = ToProto(std::chrono::nanoseconds(3'000'000'007));
  EXPECT_EQ(duration.seconds(), 3);
  EXPECT_EQ(duration.nanos(), 7);
}

TEST(ConvertersTest, ResultIsWholeInProto) {
  SentenceHypothesis hypothesis{"Hallo",        -0.5F, FinishReason::kMaxLength, {4, 5}, {"Ha", "llo"},
                                {-0.1F, -0.2F}, {}};
  hypothesis.alignment = {{0.25F, 0.75F}, {1, 0}};
  SentenceTranslation sentence;
  sentence.source = "Hello";
  sentence.leading = " ";
  sentence.trailing = "\n";
  sentence.source_tokens = {"Hello", "</s>"};
  sentence.source_length_tokens = 2;
  sentence.was_halved = true;
  sentence.hypotheses.push_back(hypothesis);
  TranslationResult result;
  result.text = " Hallo\n";
  result.sentences.push_back(sentence);
  result.input_tokens = 2;
  result.output_tokens = 3;
  result.halved_sentences = 1;
  result.replacement_characters = 4;
  result.timing.queue = std::chrono::nanoseconds(9);

  const v1::Translation proto = ToProto(result);
  EXPECT_EQ(proto.translated_text(), " Hallo\n");
  EXPECT_EQ(proto.input_tokens(), 2);
  EXPECT_EQ(proto.output_tokens(), 3);
  EXPECT_EQ(proto.halved_sentences(), 1);
  EXPECT_EQ(proto.replacement_characters(), 4);
  EXPECT_EQ(proto.timing().queue().nanos(), 9);
  ASSERT_EQ(proto.sentences_size(), 1);
  EXPECT_EQ(proto.sentences(0).source_text(), "Hello");
  EXPECT_EQ(proto.sentences(0).leading_space() + proto.sentences(0).trailing_space(), " \n");
  EXPECT_EQ(proto.sentences(0).source_length_tokens(), 2);
  EXPECT_TRUE(proto.sentences(0).halved());
  EXPECT_THAT(proto.sentences(0).source_tokens(), ElementsAre("Hello", "</s>"));
  const v1::Hypothesis& best = proto.sentences(0).hypotheses(0);
  EXPECT_EQ(best.text(), "Hallo");
  EXPECT_EQ(best.score(), -0.5F);
  EXPECT_EQ(best.finish_reason(), v1::FINISH_REASON_MAX_LENGTH);
  EXPECT_THAT(best.token_ids(), ElementsAre(4, 5));
  EXPECT_THAT(best.tokens(), ElementsAre("Ha", "llo"));
  EXPECT_THAT(best.token_scores(), ElementsAre(-0.1F, -0.2F));
  ASSERT_EQ(best.alignment_size(), 2);
  EXPECT_THAT(best.alignment(0).weights(), ElementsAre(0.25F, 0.75F));
  EXPECT_EQ(ToProtoWithoutSentences(result).sentences_size(), 0);
}

TEST(ConvertersTest, DefaultsOfAModelAreAllSet) {
  DecodingOptions defaults;
  defaults.beam_size = 6;
  const v1::TranslationOptions proto = ToProto(defaults);
  EXPECT_EQ(proto.beam_size(), 6);
  EXPECT_TRUE(proto.has_num_hypotheses() && proto.has_max_length() && proto.has_temperature());
  EXPECT_TRUE(ToTask(proto).ok());
}

}  // namespace
}  // namespace attendant
