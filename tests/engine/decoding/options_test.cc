#include "engine/decoding/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "engine/decoding/search.h"

namespace attendant {
namespace {

using ::testing::HasSubstr;

constexpr int32_t kVocab = 100;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

using Change = std::function<void(DecodingOptions&)>;

absl::Status CheckChanged(const Change& change) {
  DecodingOptions options;
  options.end_tokens = {0};
  change(options);
  return Check(options, kVocab);
}

struct Case {
  std::string field;
  Change good;
  Change bad;
};

template <typename T>
Case Limit(const std::string& field, T DecodingOptions::*member, T good, T bad) {
  return {field, [=](DecodingOptions& o) { o.*member = good; }, [=](DecodingOptions& o) { o.*member = bad; }};
}

std::vector<Case> NumberCases() {
  using O = DecodingOptions;
  return {
      Limit<int32_t>("beam_size", &O::beam_size, 1, 0),
      Limit<int32_t>("beam_size", &O::beam_size, 32, 33),
      Limit<int32_t>("num_hypotheses", &O::num_hypotheses, 1, 0),
      Limit<int32_t>("num_hypotheses", &O::num_hypotheses, 1, 2),  // Of beam_size 1.
      Limit<float>("patience", &O::patience, 0, -0.1f),
      Limit<float>("patience", &O::patience, 8, 8.1f),
      Limit<float>("patience", &O::patience, 1, kNan),
      Limit<float>("length_penalty", &O::length_penalty, -5, -5.1f),
      Limit<float>("length_penalty", &O::length_penalty, 5, 5.1f),
      Limit<float>("length_penalty", &O::length_penalty, 0, kNan),
      Limit<float>("coverage_penalty", &O::coverage_penalty, 0, -0.1f),
      Limit<float>("coverage_penalty", &O::coverage_penalty, 10, kInfinity),
      Limit<float>("repetition_penalty", &O::repetition_penalty, 0.01f, 0),
      Limit<float>("repetition_penalty", &O::repetition_penalty, 100, kInfinity),
      Limit<int32_t>("no_repeat_ngram_size", &O::no_repeat_ngram_size, 0, -1),
      Limit<int32_t>("no_repeat_ngram_size", &O::no_repeat_ngram_size, 64, 65),
      Limit<int32_t>("min_length", &O::min_length, 0, -1),
      Limit<int32_t>("min_length", &O::min_length, 256, 257),  // Of max_length 256.
      Limit<int32_t>("max_length", &O::max_length, 1, 0),
      Limit<int32_t>("max_length", &O::max_length, 65536, 65537),
      Limit<int32_t>("unk_token", &O::unk_token, -1, -2),
      Limit<int32_t>("unk_token", &O::unk_token, kVocab - 1, kVocab),
      Limit<int32_t>("start_token", &O::start_token, 0, -1),
      Limit<int32_t>("start_token", &O::start_token, kVocab - 1, kVocab),
      Limit<float>("temperature", &O::temperature, 0.001f, 0),
      Limit<float>("temperature", &O::temperature, 1000, kInfinity),
      Limit<float>("temperature", &O::temperature, 1, kNan),
      Limit<int32_t>("top_k", &O::top_k, 0, -1),
      Limit<float>("top_p", &O::top_p, 0.001f, 0),
      Limit<float>("top_p", &O::top_p, 1, 1.001f),
      Limit<float>("top_p", &O::top_p, 1, kNan),
      Limit<int32_t>("repetition_guard_tokens", &O::repetition_guard_tokens, 0, -1),
      Limit<int32_t>("repetition_guard_tokens", &O::repetition_guard_tokens, 4, 3),
  };
}

std::vector<Case> ListCases() {
  using O = DecodingOptions;
  using Tokens = std::vector<int32_t>;
  using Sequences = std::vector<Tokens>;
  return {
      Limit<Tokens>("end_tokens", &O::end_tokens, {0}, {}),
      Limit<Tokens>("end_tokens", &O::end_tokens, Tokens(16, 1), Tokens(17, 1)),
      Limit<Tokens>("end_tokens", &O::end_tokens, {kVocab - 1}, {kVocab}),
      Limit<Tokens>("target_prefix", &O::target_prefix, {kVocab - 1}, {-1}),
      Limit<Tokens>("target_prefix", &O::target_prefix, {1}, {1, 0}),  // 0 ends.
      Limit<Tokens>("target_prefix", &O::target_prefix, Tokens(255, 1), Tokens(256, 1)),
      Limit<Sequences>("suppress_sequences", &O::suppress_sequences, {{1}}, {{}}),
      Limit<Sequences>("suppress_sequences", &O::suppress_sequences, {{1, kVocab - 1}}, {{1, kVocab}}),
      Limit<Sequences>("suppress_sequences", &O::suppress_sequences, {Tokens(64, 1)}, {Tokens(65, 1)}),
      Limit<Sequences>("suppress_sequences", &O::suppress_sequences, Sequences(1024, {1}),
                       Sequences(1025, {1})),
  };
}

void ExpectLimits(const std::vector<Case>& cases) {
  for (const Case& limit : cases) {
    EXPECT_TRUE(CheckChanged(limit.good).ok()) << limit.field << ": " << CheckChanged(limit.good);
    const absl::Status bad = CheckChanged(limit.bad);
    EXPECT_EQ(bad.code(), absl::StatusCode::kInvalidArgument) << limit.field;
    EXPECT_THAT(std::string(bad.message()), HasSubstr(limit.field));
  }
}

TEST(CheckTest, NumbersHaveLimits) {
  ExpectLimits(NumberCases());
}

TEST(CheckTest, ListsHaveLimits) {
  ExpectLimits(ListCases());
}

TEST(CheckTest, SamplingWantsOneBeamAndMayHaveMoreHypotheses) {
  const auto sampling = [](int32_t beams, int32_t hypotheses) {
    return CheckChanged([=](DecodingOptions& o) {
      o.sample = true;
      o.beam_size = beams;
      o.num_hypotheses = hypotheses;
    });
  };
  EXPECT_TRUE(sampling(1, 32).ok());
  EXPECT_FALSE(sampling(1, 33).ok());
  EXPECT_THAT(std::string(sampling(2, 1).message()), HasSubstr("beam_size"));
}

TEST(CheckTest, PatienceMustReachNumHypotheses) {
  const auto patient = [](float patience) {
    return CheckChanged([=](DecodingOptions& o) {
      o.beam_size = 4;
      o.num_hypotheses = 3;
      o.patience = patience;
    });
  };
  EXPECT_FALSE(patient(0.6f).ok());  // round(2.4).
  EXPECT_TRUE(patient(0.63f).ok());  // round(2.52).
  EXPECT_TRUE(patient(0).ok());
}

TEST(CheckTest, CreateSearchRefusesWhatCheckRefuses) {
  DecodingOptions options;
  const auto search = CreateSearch(options, kVocab);
  EXPECT_EQ(search.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(search.status().message()), HasSubstr("end_tokens"));
}

}  // namespace
}  // namespace attendant
