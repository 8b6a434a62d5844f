// Marian against what transformers computes with the same weights (tests/golden/make_golden.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "engine/models/registry.h"
#include "engine/models/seq2seq_encoder.h"
#include "nlohmann/json.hpp"

namespace attendant {
namespace {

using nlohmann::json;

const std::string kGolden = ATTENDANT_SOURCE_DIR "/tests/golden/";

json ReadJson(const std::string& path) {
  return json::parse(std::ifstream(path));
}

// A model with a source encoded, stepping along given tokens.
class Session {
 public:
  Session(const Seq2Seq& model, const std::vector<int32_t>& source)
      : model_(model), pool_(*KvPool::Create(model.info().kv, int64_t{16} << 20)) {
    const EncodeItem item{source, &cross_};
    model_.Encode({&item, 1}, pool_, workspace_);
  }
  ~Session() {
    self_.Clear(pool_);
    cross_.Clear(pool_);
  }

  // All logits after one more token; also asks for the top k and the held-out tokens.
  RowAnswer Feed(int32_t token, int32_t top_k, absl::Span<const int32_t> held_out) {
    RowQuery query;
    query.token = token;
    query.position = self_.length();
    query.self = &self_;
    query.cross = &cross_;
    query.top_k = top_k;
    query.held_out = held_out;
    query.wants_all_logits = query.wants_attention = true;
    RowAnswer answer;
    workspace_.Reset();
    model_.Step({&query, 1}, {&answer, 1}, pool_, workspace_);
    return answer;
  }

 private:
  const Seq2Seq& model_;
  KvPool pool_;
  Workspace workspace_;
  BlockTable self_, cross_;
};

class MarianGoldenTest : public testing::TestWithParam<size_t> {};

TEST_P(MarianGoldenTest, LogitsAgreeWithTransformers) {
  const json golden = ReadJson(kGolden + "marian-tiny.json");
  const json& test = golden["cases"][GetParam()];
  const std::string name = test["model"];
  const auto model = LoadSeq2Seq(kGolden + name);
  ASSERT_TRUE(model.ok()) << model.status();
  Session session(**model, test["source_ids"]);
  const std::vector<int32_t> fed = test["decoder_ids"];
  for (size_t position = 0; position < fed.size(); ++position) {
    const std::vector<float> expected = test["logits"][position];
    const RowAnswer answer = session.Feed(fed[position], 1, {});
    ASSERT_EQ(answer.all_logits.size(), expected.size());
    // Relative to the largest logit: both sides sum in float32, in different orders.
    float largest = 0;
    for (const float logit : expected) largest = std::max(largest, std::abs(logit));
    for (size_t t = 0; t < expected.size(); ++t) {
      ASSERT_NEAR(answer.all_logits[t], expected[t], 1e-4f * largest)
          << name << " position " << position << " token " << t;
    }
  }
}

// The cases of one model, each alone and all packed together.
TEST(MarianEncoderTest, StatesAgreeWithTransformersAloneAndTogether) {
  const json golden = ReadJson(kGolden + "marian-tiny.json");
  for (const char* name : {"tiny-relu", "tiny-gelu", "tiny-separate", "tiny-untied"}) {
    std::shared_ptr<const Seq2Seq> model = *LoadSeq2Seq(kGolden + name);
    const auto encoder = EncoderOf(model, "marian");
    const auto dim = static_cast<size_t>(encoder->info().hidden_dim);
    std::vector<std::vector<int32_t>> ids;
    std::vector<std::vector<float>> expected, together;
    for (const json& test : golden["cases"]) {
      if (test["model"] != name) continue;
      ids.push_back(test["source_ids"]);
      together.emplace_back(ids.back().size() * dim);
      expected.emplace_back();
      for (const std::vector<float> token : test["encoder"]) {
        expected.back().insert(expected.back().end(), token.begin(), token.end());
      }
    }
    ASSERT_EQ(ids.size(), 3u);
    std::vector<TextItem> items;
    for (size_t i = 0; i < ids.size(); ++i) items.push_back({ids[i], {}, together[i].data()});
    Workspace workspace;
    encoder->Encode(items, workspace);
    for (size_t i = 0; i < ids.size(); ++i) {
      std::vector<float> alone(together[i].size());
      const TextItem item{ids[i], {}, alone.data()};
      encoder->Encode({&item, 1}, workspace);
      EXPECT_EQ(alone, together[i]) << name << " case " << i;
      ASSERT_EQ(expected[i].size(), alone.size());
      float largest = 0;
      for (const float value : expected[i]) largest = std::max(largest, std::abs(value));
      for (size_t j = 0; j < alone.size(); ++j) {
        ASSERT_NEAR(alone[j], expected[i][j], 1e-5f * largest) << name << " case " << i << " at " << j;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, MarianGoldenTest, testing::Range(size_t{0}, size_t{12}));

class MarianTest : public testing::Test {
 protected:
  static const Seq2Seq& Model() {
    static const auto& model = *new auto(LoadSeq2Seq(ATTENDANT_SOURCE_DIR "/models/translate-en-de"));
    return **model;
  }
};

TEST_F(MarianTest, AnswerIsOfAPieceWithItsLogits) {
  Session session(Model(), {197, 33, 6, 0});
  const std::vector<int32_t> held_out = {0, 206, 2047, 2048, 8001};  // Also at a tile's edges.
  const RowAnswer answer = session.Feed(Model().info().decoder_start_token, 20, held_out);
  double sum = 0;
  for (const float logit : answer.all_logits) sum += std::exp(double{logit});
  EXPECT_NEAR(answer.log_sum_exp, std::log(sum), 1e-5);
  for (const float logit : answer.held_out) sum -= std::exp(double{logit});
  EXPECT_NEAR(answer.log_sum_exp_rest, std::log(sum), 1e-5);
  for (size_t i = 0; i < held_out.size(); ++i) {
    EXPECT_EQ(answer.held_out[i], answer.all_logits[static_cast<size_t>(held_out[i])]);
  }
  std::vector<TokenScore> expected;
  for (size_t t = 0; t < answer.all_logits.size(); ++t) {
    const int32_t token = static_cast<int32_t>(t);
    if (!std::binary_search(held_out.begin(), held_out.end(), token))
      expected.push_back({token, answer.all_logits[t]});
  }
  std::stable_sort(expected.begin(), expected.end(), [](auto& a, auto& b) { return a.score > b.score; });
  ASSERT_EQ(answer.top.size(), 20u);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(answer.top[i].token, expected[i].token) << i;
  double attention = 0;
  for (const float share : answer.attention) attention += share;
  EXPECT_EQ(answer.attention.size(), 4u);
  EXPECT_NEAR(attention, 1, 1e-5);
}

TEST_F(MarianTest, TopKIsBoundedByWhatIsLeftOfTheVocabulary) {
  Session session(Model(), {197, 0});
  const int32_t vocab_size = Model().info().vocab_size;
  const std::vector<int32_t> held_out = {5, 6};
  EXPECT_EQ(session.Feed(8001, vocab_size, held_out).top.size(), static_cast<size_t>(vocab_size - 2));
}

TEST_F(MarianTest, InfoTellsTheSizes) {
  const Seq2Seq::Info& info = Model().info();
  EXPECT_EQ(info.vocab_size, 8002);
  EXPECT_EQ(info.max_source_tokens, 512);
  EXPECT_EQ(info.hidden_dim, 256);
  EXPECT_EQ(info.kv.num_layers, 3);
  EXPECT_EQ(info.num_parameters, 9'947'392);
}

}  // namespace
}  // namespace attendant
