// Parity with `transformers`: tests/golden/decoding.json, made by tests/golden/make_decoding_golden.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/engine/decoding/toy_model.h"

namespace attendant {
namespace {

using Json = nlohmann::json;
using Table = std::vector<std::vector<std::vector<float>>>;  // [position % 3][last token][token].

EarlyStopping ToEarlyStopping(const Json& value) {
  if (value == "never") return EarlyStopping::kNever;
  return value == true ? EarlyStopping::kAtBeams : EarlyStopping::kHeuristic;
}

// The conversion that options.h describes.
DecodingOptions ToOptions(const Json& config, int32_t start_token) {
  DecodingOptions options;
  options.start_token = start_token;
  options.beam_size = config["num_beams"];
  options.num_hypotheses = config.value("num_return_sequences", 1);
  options.early_stopping = ToEarlyStopping(config.value("early_stopping", Json(false)));
  options.length_penalty = config.value("length_penalty", 1.f);
  options.target_prefix = config.value("target_prefix", std::vector<int32_t>());
  options.repetition_penalty = config.value("repetition_penalty", 1.f);
  options.no_repeat_ngram_size = config.value("no_repeat_ngram_size", 0);
  options.max_length = static_cast<int32_t>(config["max_length"]) - 1;
  const auto prefix = static_cast<int32_t>(options.target_prefix.size());
  const int32_t min_length = config.contains("min_new_tokens")
                                 ? prefix + static_cast<int32_t>(config["min_new_tokens"])
                                 : config.value("min_length", 0) - 1;
  options.min_length = std::clamp(min_length, 0, options.max_length);
  options.force_end_at_max_length = config.contains("forced_eos_token_id");
  options.suppress_sequences = config.value("bad_words_ids", std::vector<std::vector<int32_t>>());
  if (config.contains("suppress_tokens")) {
    options.disable_unk = true;
    options.unk_token = config["suppress_tokens"][0];
  }
  options.end_tokens = config.value("eos_token_id", std::vector<int32_t>{0});
  options.repetition_guard_tokens = 0;  // `transformers` has none.
  return options;
}

void ExpectEqual(const Hypothesis& got, const Json& want, const DecodingOptions& options) {
  const auto prefix = static_cast<ptrdiff_t>(options.target_prefix.size());
  std::vector<int32_t> tokens(got.tokens.begin() + prefix, got.tokens.end());
  const auto want_tokens = want["tokens"].get<std::vector<int32_t>>();
  if (got.finish_reason == FinishReason::kEndToken && !want_tokens.empty())
    tokens.push_back(want_tokens.back());
  EXPECT_EQ(tokens, want_tokens);
  const auto log_probs = want["log_probs"].get<std::vector<float>>();
  ASSERT_EQ(got.token_log_probs.size(), options.target_prefix.size() + log_probs.size());
  for (size_t i = 0; i < log_probs.size(); ++i) {
    EXPECT_NEAR(got.token_log_probs[options.target_prefix.size() + i], log_probs[i], 1e-5) << "token " << i;
  }
  if (!want["score"].is_null()) {
    EXPECT_NEAR(got.score, want["score"].get<float>(), 1e-5);
  }
}

TEST(SearchGoldenTest, AgreesWithTransformers) {
  std::ifstream file(std::string(ATTENDANT_SOURCE_DIR) + "/tests/golden/decoding.json");
  ASSERT_TRUE(file.is_open());
  const Json golden = Json::parse(file);
  const auto tables = golden["tables"].get<std::vector<Table>>();
  ASSERT_GE(golden["cases"].size(), 200u);
  for (const Json& golden_case : golden["cases"]) {
    SCOPED_TRACE(golden_case["options"].dump());
    const Table& table = tables[golden_case["table"].get<size_t>()];
    const DecodingOptions options = ToOptions(golden_case["options"], golden["start"]);
    const auto got = Decode(options, golden["vocab"], [&](absl::Span<const int32_t> fed) {
      return table[(fed.size() - 1) % table.size()][static_cast<size_t>(fed.back())];
    });
    const Json& want = golden_case["results"];
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      SCOPED_TRACE(i);
      ExpectEqual(got[i], want[i], options);
    }
  }
}

}  // namespace
}  // namespace attendant
