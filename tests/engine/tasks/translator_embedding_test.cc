// Translation models whose encoder embeds, against what transformers computes with the same weights
// (tests/golden/make_golden.py embeddings).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/tasks/text_model.h"
#include "engine/tasks/translator.h"
#include "tests/engine/scheduler/toy_jobs.h"

namespace attendant {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr char kSayingCard[] = "---\ntags:\n- translation\n- feature-extraction\n---\n# A model\n";

json EmbeddingCases() {
  return json::parse(std::ifstream(ATTENDANT_SOURCE_DIR "/tests/golden/marian-embeddings.json"))["cases"];
}

EmbedTextRequest ToEmbed(const std::string& text) {
  EmbedTextRequest request;
  request.text = text;
  return request;
}

TranslationRequest ToTranslate(const std::string& text) {
  TranslationRequest request;
  request.text = text;
  return request;
}

std::future<absl::StatusOr<TextEmbedding>> EmbedLater(TextModel& model, EmbedTextRequest request,
                                                      CancelHandle* handle = nullptr) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<TextEmbedding>>>();
  auto future = promise->get_future();
  const CancelHandle cancel =
      model.Embed(std::move(request),
                  [promise](absl::StatusOr<TextEmbedding> answer) { promise->set_value(std::move(answer)); });
  if (handle != nullptr) *handle = cancel;
  return future;
}

std::future<absl::StatusOr<TranslationResult>> TranslateLater(Translator& translator,
                                                              TranslationRequest request) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<TranslationResult>>>();
  auto future = promise->get_future();
  translator.Translate(std::move(request), {}, [promise](absl::StatusOr<TranslationResult> answer) {
    promise->set_value(std::move(answer));
  });
  return future;
}

// A copy of a golden Marian directory that a test may change.
class TranslatorEmbeddingTest : public testing::Test {
 protected:
  void SetUp() override { Copy("tests/golden/tiny-relu"); }
  void TearDown() override { fs::remove_all(dir_); }

  void Copy(const std::string& model) {
    dir_ = fs::path(testing::TempDir()) / "attendant-translator-embedding";
    fs::remove_all(dir_);
    fs::copy(fs::path(ATTENDANT_SOURCE_DIR) / model, dir_);
    Write("README.md", kSayingCard);
  }
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((dir_ / name).parent_path());
    std::ofstream(dir_ / name) << text;
  }
  // sentence-transformers' modules, normalised after a pooling.
  void WriteModules(const std::string& pooling) const {
    Write("modules.json", R"([{"type": "m.Transformer", "path": ""},
      {"type": "m.Pooling", "path": "1_Pooling"}, {"type": "m.Normalize", "path": "2_Normalize"}])");
    Write("1_Pooling/config.json", pooling);
  }
  absl::StatusOr<std::unique_ptr<Translator>> TryLoad(int32_t workers = 1) {
    TranslatorOptions options;
    options.num_workers = workers;
    options.kv_cache_bytes = 16 << 20;
    return Translator::Load(dir_, options, observer_, Clock::Real());
  }
  std::unique_ptr<Translator> Load(int32_t workers = 1) {
    auto translator = TryLoad(workers);
    EXPECT_TRUE(translator.ok()) << translator.status();
    EXPECT_NE((*translator)->embedder(), nullptr) << (*translator)->info().why_not_embedding;
    return *std::move(translator);
  }

  fs::path dir_;
  CountingObserver observer_;
};

TEST_F(TranslatorEmbeddingTest, IsTheMeanOfTheEncodersStates) {
  const json cases = EmbeddingCases();
  for (const char* name : {"tests/golden/tiny-relu", "tests/golden/tiny-gelu", "tests/golden/tiny-separate",
                           "tests/golden/tiny-untied", "models/translate-en-de"}) {
    Copy(name);
    const auto translator = Load();
    int compared = 0;
    for (const json& test : cases) {
      if (test["model"] != fs::path(name).filename().string()) continue;
      const auto answer = EmbedLater(*translator->embedder(), ToEmbed(test["text"])).get();
      ASSERT_TRUE(answer.ok()) << answer.status();
      EXPECT_EQ(answer->tokens, test["tokens"]);
      EXPECT_EQ(answer->truncated, test["truncated"]);
      const std::vector<float> expected = test["embedding"];
      ASSERT_EQ(answer->values.size(), expected.size());
      float largest = 0;
      for (const float value : expected) largest = std::max(largest, std::abs(value));
      for (size_t d = 0; d < expected.size(); ++d) {
        ASSERT_NEAR(answer->values[d], expected[d], 1e-5f * largest)
            << name << " " << test["text"] << " " << d;
      }
      ++compared;
    }
    EXPECT_EQ(compared, 7);
  }
}

TEST_F(TranslatorEmbeddingTest, TellsWhatItIs) {
  const auto translator = Load(2);
  const TextModel::Info& info = translator->embedder()->info();
  EXPECT_TRUE(info.is_for_embedding);
  EXPECT_EQ(info.encoder.architecture, "marian");
  EXPECT_EQ(info.encoder.weights_bytes, translator->info().weights_bytes);
  EXPECT_EQ(info.embedding_dim, 32);
  EXPECT_EQ(info.max_tokens, 48);
  EXPECT_EQ(info.num_workers, 2);
  EXPECT_FALSE(info.normalizes);
  EXPECT_EQ(&translator->embedder()->scheduler(), &translator->scheduler());
  EXPECT_EQ(translator->scheduler().num_workers(), 2);
}

TEST_F(TranslatorEmbeddingTest, ModelWhoseCardDoesNotSaySoOnlyTranslates) {
  Write("README.md", "---\ntags:\n- translation\n---\n# A model\n");
  const auto translator = TryLoad();
  ASSERT_TRUE(translator.ok()) << translator.status();
  EXPECT_EQ((*translator)->embedder(), nullptr);
  EXPECT_THAT((*translator)->info().why_not_embedding, HasSubstr("tags: [feature-extraction]"));
  EXPECT_TRUE(TranslateLater(**translator, ToTranslate("It is raining.")).get().ok());
  fs::remove(dir_ / "README.md");
  EXPECT_EQ((*TryLoad())->embedder(), nullptr);
}

TEST_F(TranslatorEmbeddingTest, ModulesJsonSaysSoTooAndDecidesThePooling) {
  fs::remove(dir_ / "README.md");
  WriteModules(R"({"pooling_mode_lasttoken": true, "pooling_mode_mean_tokens": false})");
  const auto last = EmbedLater(*Load()->embedder(), ToEmbed("No!")).get();
  ASSERT_TRUE(last.ok()) << last.status();
  double squares = 0;
  for (const float value : last->values) squares += double{value} * value;
  EXPECT_NEAR(squares, 1, 1e-5);
  Write("sentence_bert_config.json", R"({"max_seq_length": 5})");
  EXPECT_EQ(Load()->embedder()->info().max_tokens, 5);
  Write("sentence_bert_config.json", R"({"max_seq_length": 5, "do_lower_case": true})");
  EXPECT_EQ(TryLoad().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(TranslatorEmbeddingTest, PromptsStandBeforeTheTextAndNeedNotCount) {
  Write("config_sentence_transformers.json", R"({"prompts": {"query": "The mill: "}})");
  WriteModules("{}");
  EmbedTextRequest prompted = ToEmbed("the cold");
  prompted.prompt = "query";
  const auto plain = EmbedLater(*Load()->embedder(), ToEmbed("The mill: the cold")).get();
  const auto counted = EmbedLater(*Load()->embedder(), prompted).get();
  ASSERT_TRUE(plain.ok() && counted.ok()) << plain.status() << counted.status();
  EXPECT_EQ(counted->values, plain->values);
  EXPECT_EQ(counted->tokens, plain->tokens);
  // Skipping all tokens but the last: the end token alone is left.
  Write("config_sentence_transformers.json", R"({"prompts": {"query": "The mill: the cold"}})");
  WriteModules(R"({"include_prompt": false})");
  prompted.text = "";
  const auto skipped = EmbedLater(*Load()->embedder(), prompted).get();
  WriteModules(R"({"pooling_mode_lasttoken": true, "pooling_mode_mean_tokens": false})");
  const auto last = EmbedLater(*Load()->embedder(), ToEmbed("The mill: the cold")).get();
  ASSERT_TRUE(skipped.ok() && last.ok()) << skipped.status() << last.status();
  EXPECT_EQ(skipped->values, last->values);
  EXPECT_NE(skipped->values, plain->values);
}

TEST_F(TranslatorEmbeddingTest, TextsBeyondThePositionsAreCutOffOrRefused) {
  const auto translator = Load();
  const int32_t limit = translator->embedder()->info().max_tokens;
  std::string text = "a";
  const auto embed = [&](Truncation truncation) {
    EmbedTextRequest request = ToEmbed(text);
    request.truncation = truncation;
    return EmbedLater(*translator->embedder(), request).get();
  };
  while (embed(Truncation::kTruncate)->tokens < limit - 1) text += "a";  // One token more each.
  for (const int32_t tokens : {limit - 1, limit, limit + 1}) {
    const auto cut = embed(Truncation::kTruncate);
    ASSERT_TRUE(cut.ok()) << cut.status();
    EXPECT_EQ(cut->tokens, std::min(tokens, limit));
    EXPECT_EQ(cut->truncated, tokens > limit);
    EXPECT_EQ(absl::IsInvalidArgument(embed(Truncation::kRefuse).status()), tokens > limit);
    text += "a";
  }
}

// Both kinds of job at once on the same workers: bit for bit what each gives alone.
TEST_F(TranslatorEmbeddingTest, EmbeddingsAndTranslationsDoNotChangeEachOther) {
  const std::vector<std::string> words = {"fox", "lazy dog", "old bridge", "seven wizards pack five boxes"};
  const auto text = [&](int i) {
    return "She saw the " + words[static_cast<size_t>(i) % 4] + std::string(static_cast<size_t>(i) % 9, 'o');
  };
  const auto to_translate = [&](int i) {
    TranslationRequest request = ToTranslate(text(i));
    request.options.beam_size = 1 + i % 4;
    request.options.max_length = 20;
    return request;
  };
  constexpr int kTexts = 60;
  const auto single = Load(1);
  std::vector<std::vector<float>> vectors;
  std::vector<std::vector<int32_t>> translations;
  for (int i = 0; i < kTexts; ++i) {
    vectors.push_back(EmbedLater(*single->embedder(), ToEmbed(text(i))).get()->values);
    translations.push_back(
        TranslateLater(*single, to_translate(i)).get()->sentences[0].hypotheses[0].token_ids);
  }
  for (const int32_t workers : {1, 2}) {
    const auto translator = Load(workers);
    std::vector<std::future<absl::StatusOr<TextEmbedding>>> embedded;
    std::vector<std::future<absl::StatusOr<TranslationResult>>> translated;
    for (int i = 0; i < kTexts; ++i) {
      translated.push_back(TranslateLater(*translator, to_translate(i)));
      embedded.push_back(EmbedLater(*translator->embedder(), ToEmbed(text(i))));
    }
    for (size_t i = 0; i < kTexts; ++i) {
      const auto vector = embedded[i].get();
      const auto translation = translated[i].get();
      ASSERT_TRUE(vector.ok() && translation.ok()) << vector.status() << translation.status();
      EXPECT_EQ(vector->values, vectors[i]) << i;
      EXPECT_EQ(translation->sentences[0].hypotheses[0].token_ids, translations[i]) << i;
    }
    EXPECT_TRUE(translator->Drain(std::chrono::seconds(10)));
    for (const auto& step : observer_.LastStepOfEachWorker(static_cast<size_t>(workers))) {
      EXPECT_EQ(step.free_blocks, step.num_blocks);
      EXPECT_EQ(step.running, 0);
    }
    EXPECT_EQ(EmbedLater(*translator->embedder(), ToEmbed("a")).get().status().code(),
              absl::StatusCode::kUnavailable);
    EXPECT_EQ(TranslateLater(*translator, to_translate(0)).get().status().code(),
              absl::StatusCode::kUnavailable);
  }
}

TEST_F(TranslatorEmbeddingTest, ExpiredAndCancelledTextsAreNotEncoded) {
  const auto translator = Load();
  EmbedTextRequest late = ToEmbed("No!");
  late.deadline = Clock::Real().Now();
  EXPECT_EQ(EmbedLater(*translator->embedder(), late).get().status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(observer_.DropsFor(DropReason::kExpiredInQueue), 1);
  std::vector<std::future<absl::StatusOr<TextEmbedding>>> answers;
  for (int i = 0; i < 200; ++i) {
    CancelHandle handle;
    answers.push_back(EmbedLater(*translator->embedder(), ToEmbed(std::string(1000, 'a')), &handle));
    handle.Cancel();
  }
  for (auto& answer : answers) {
    const auto result = answer.get();
    EXPECT_TRUE(result.ok() || absl::IsCancelled(result.status())) << result.status();
  }
  EXPECT_EQ(translator->scheduler().queue_depth(), 0);
}

TEST_F(TranslatorEmbeddingTest, WhatIsOpenAtTheEndIsAnswered) {
  auto translator = Load();
  std::vector<std::future<absl::StatusOr<TextEmbedding>>> vectors;
  std::vector<std::future<absl::StatusOr<TranslationResult>>> translations;
  for (int i = 0; i < 100; ++i) {
    vectors.push_back(EmbedLater(*translator->embedder(), ToEmbed("seven wizards pack five boxes of jam")));
    translations.push_back(TranslateLater(*translator, ToTranslate("seven wizards pack five boxes of jam")));
  }
  translator = nullptr;
  for (size_t i = 0; i < vectors.size(); ++i) {
    ASSERT_EQ(vectors[i].wait_for(std::chrono::seconds(0)), std::future_status::ready);
    ASSERT_EQ(translations[i].wait_for(std::chrono::seconds(0)), std::future_status::ready);
    const auto vector = vectors[i].get();
    EXPECT_TRUE(vector.ok() || absl::IsUnavailable(vector.status())) << vector.status();
  }
}

}  // namespace
}  // namespace attendant
