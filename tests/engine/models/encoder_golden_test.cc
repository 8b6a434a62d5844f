// Text and image encoders against what transformers computes with the same weights
// (tests/golden/make_encoder_golden.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "engine/models/bert_config.h"
#include "engine/models/registry.h"
#include "nlohmann/json.hpp"

namespace attendant {
namespace {

using nlohmann::json;

std::string FolderOf(const std::string& name) {
  return ATTENDANT_SOURCE_DIR "/tests/golden/encoders/" + name;
}

json CasesOf(const std::string& name) {
  return json::parse(std::ifstream(FolderOf(name) + "/golden.json"))["cases"];
}

std::vector<float> Flat(const json& value) {
  if (!value.is_array()) return {value.get<float>()};
  std::vector<float> all;
  for (const json& part : value) {
    const std::vector<float> more = Flat(part);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

// Relative to the largest value: both sides sum in float32, in different orders.
void ExpectClose(const std::vector<float>& actual, const json& golden, const std::string& what) {
  const std::vector<float> expected = Flat(golden);
  ASSERT_EQ(actual.size(), expected.size()) << what;
  float largest = 0;
  for (const float value : expected) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], 1e-5f * largest) << what << " at " << i;
  }
}

class TextEncoderGoldenTest : public testing::TestWithParam<const char*> {};

TEST_P(TextEncoderGoldenTest, AgreesWithTransformersAloneAndTogether) {
  const auto model = LoadTextEncoder(FolderOf(GetParam()));
  ASSERT_TRUE(model.ok()) << model.status();
  const TextEncoder::Info& info = (*model)->info();
  const json cases = CasesOf(GetParam());
  Workspace workspace;
  CoreLender lender(3);
  const CoreLender::Lease lease = lender.Take(0, 3, workspace);
  std::vector<std::vector<int32_t>> ids, types;
  std::vector<std::vector<float>> together;
  for (const json& test : cases) {
    ids.push_back(test["ids"]);
    types.push_back(test.value("types", json::array()));
    together.emplace_back(ids.back().size() * static_cast<size_t>(info.hidden_dim));
  }
  std::vector<TextItem> items;
  for (size_t i = 0; i < ids.size(); ++i) items.push_back({ids[i], types[i], together[i].data()});
  (*model)->Encode(items, workspace);
  for (size_t i = 0; i < ids.size(); ++i) {
    ExpectClose(together[i], cases[i]["hidden"], "hidden");
    std::vector<float> alone(together[i].size());
    const TextItem item{ids[i], types[i], alone.data()};
    (*model)->Encode({&item, 1}, workspace);
    EXPECT_EQ(std::memcmp(alone.data(), together[i].data(), alone.size() * sizeof(float)), 0);
    std::vector<float> shared(alone.size());
    const TextItem again{ids[i], types[i], shared.data()};
    (*model)->Encode({&again, 1}, lease.team());
    EXPECT_EQ(shared, alone) << "by three threads";
    if (info.head == TextHead::kNone) continue;
    const size_t rows = info.head == TextHead::kTokens ? ids[i].size() : 1;
    std::vector<float> logits(rows * info.labels.size());
    (*model)->Classify(alone.data(), static_cast<int32_t>(ids[i].size()), logits.data(), workspace);
    ExpectClose(logits, cases[i]["logits"], "logits");
  }
}

INSTANTIATE_TEST_SUITE_P(Families, TextEncoderGoldenTest,
                         testing::Values("bert", "bert-sequence", "bert-tokens", "roberta-sequence",
                                         "xlm-roberta-tokens", "distilbert-sequence", "mpnet"));

// As make_encoder_golden.py has it.
std::vector<float> Pixels(uint32_t seed, int size) {
  std::vector<float> values(static_cast<size_t>(3 * size * size));
  for (float& value : values) {
    seed = seed * 1664525 + 1013904223;
    value = static_cast<float>(static_cast<int32_t>(seed >> 16) - 32768) / 32768.0f;
  }
  return values;
}

class VisionEncoderGoldenTest : public testing::TestWithParam<const char*> {};

TEST_P(VisionEncoderGoldenTest, AgreesWithTransformersAloneAndTogether) {
  const json cases = CasesOf(GetParam());
  const int size = cases[0]["size"];
  const auto model = LoadVisionEncoder(FolderOf(GetParam()), {size, size});
  ASSERT_TRUE(model.ok()) << model.status();
  const VisionEncoder::Info& info = (*model)->info();
  const size_t floats = static_cast<size_t>(info.tokens) * static_cast<size_t>(info.hidden_dim);
  Workspace workspace;
  CoreLender lender(3);
  const CoreLender::Lease lease = lender.Take(0, 3, workspace);
  std::vector<std::vector<float>> pixels, together(cases.size(), std::vector<float>(floats));
  std::vector<std::vector<float>> attention(
      cases.size(), std::vector<float>(static_cast<size_t>(info.grid_height * info.grid_width)));
  std::vector<ImageItem> items;
  for (size_t i = 0; i < cases.size(); ++i) {
    pixels.push_back(Pixels(cases[i]["seed"], size));
    items.push_back({pixels[i].data(), together[i].data(), attention[i].data()});
  }
  (*model)->Encode(items, workspace);
  for (size_t i = 0; i < cases.size(); ++i) {
    ExpectClose(together[i], cases[i]["hidden"], "hidden");
    ExpectClose(attention[i], cases[i]["attention"], "attention");
    std::vector<float> alone(floats);
    const ImageItem item{pixels[i].data(), alone.data(), nullptr};
    (*model)->Encode({&item, 1}, workspace);
    EXPECT_EQ(std::memcmp(alone.data(), together[i].data(), floats * sizeof(float)), 0);
    std::vector<float> shared(floats), shared_attention(attention[i].size());
    const ImageItem again{pixels[i].data(), shared.data(), shared_attention.data()};
    (*model)->Encode({&again, 1}, lease.team());
    EXPECT_EQ(shared, alone) << "by three threads";
    EXPECT_EQ(shared_attention, attention[i]) << "by three threads";
    if (info.labels.empty()) {
      std::vector<float> pooled(static_cast<size_t>(info.hidden_dim));
      (*model)->Pool(alone.data(), pooled.data(), workspace);
      ExpectClose(pooled, cases[i]["pooled"], "pooled");
    } else {
      std::vector<float> logits(info.labels.size());
      (*model)->Classify(alone.data(), logits.data(), workspace);
      ExpectClose(logits, cases[i]["logits"], "logits");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, VisionEncoderGoldenTest,
                         testing::Values("vit", "vit-classes", "vit-interpolated", "deit-teacher"));

TEST(RegistryTest, SaysWhatItRuns) {
  EXPECT_EQ(*KindOf("marian"), ModelKind::kSeq2Seq);
  EXPECT_EQ(*KindOf("distilbert"), ModelKind::kTextEncoder);
  EXPECT_EQ(*KindOf("deit"), ModelKind::kVisionEncoder);
  EXPECT_EQ(KindOf("gpt2").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(LoadSeq2Seq(FolderOf("bert")).status().message()),
              testing::HasSubstr("another kind"));
}

TEST(RegistryTest, ImagesMustBeWholePatches) {
  for (const InputSize size : {InputSize{25, 24}, InputSize{24, 7}, InputSize{0, 0}}) {
    EXPECT_EQ(LoadVisionEncoder(FolderOf("vit"), size).status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_TRUE(LoadVisionEncoder(FolderOf("vit"), {8, 48}).ok());
}

TEST(RegistryTest, ImagesHaveAtMostFourThousandAndNinetySixPatches) {
  EXPECT_TRUE(LoadVisionEncoder(FolderOf("vit"), {8 * 64, 8 * 63}).ok());
  EXPECT_TRUE(LoadVisionEncoder(FolderOf("vit"), {8 * 64, 8 * 64}).ok());
  EXPECT_EQ(LoadVisionEncoder(FolderOf("vit"), {8 * 64, 8 * 65}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// The first BERT checkpoints call a norm's scale and shift gamma and beta.
TEST(RegistryTest, OldNamesOfNormsAreRead) {
  namespace fs = std::filesystem;
  const fs::path dir = fs::path(testing::TempDir()) / "attendant-old-bert";
  fs::remove_all(dir);
  fs::copy(FolderOf("bert"), dir);
  std::ifstream in(dir / "model.safetensors", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (const auto& [now, then] :
       {std::pair<std::string, std::string>("LayerNorm.weight\"", "LayerNorm.gamma\" "),
        std::pair<std::string, std::string>("LayerNorm.bias\"", "LayerNorm.beta\"")}) {
    for (size_t at = 0; (at = bytes.find(now, at)) != std::string::npos;) bytes.replace(at, now.size(), then);
  }
  std::ofstream(dir / "model.safetensors", std::ios::binary) << bytes;
  const auto old_model = LoadTextEncoder(dir), model = LoadTextEncoder(FolderOf("bert"));
  ASSERT_TRUE(old_model.ok()) << old_model.status();
  Workspace workspace;
  const std::vector<int32_t> ids = {5, 9, 70};
  std::vector<float> expected(ids.size() * 32), actual(expected.size());
  const TextItem wanted{ids, {}, expected.data()}, got{ids, {}, actual.data()};
  (*model)->Encode({&wanted, 1}, workspace);
  (*old_model)->Encode({&got, 1}, workspace);
  EXPECT_EQ(actual, expected);
  fs::remove_all(dir);
}

TEST(BertConfigTest, OneLabelIsAYesOrNoOfItsOwn) {
  const auto parse = [](const std::string& labels) {
    return ParseBertConfig(
        json::parse(R"({"model_type": "bert", "architectures": ["BertForSequenceClassification"],
                                           "id2label": )" +
                    labels + "}"),
        "config.json");
  };
  EXPECT_TRUE(parse(R"({"0": "relevant"})")->is_multi_label);
  EXPECT_FALSE(parse(R"({"0": "no", "1": "yes"})")->is_multi_label);
  EXPECT_EQ(parse(R"({"0": "no", "2": "yes"})").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace attendant
