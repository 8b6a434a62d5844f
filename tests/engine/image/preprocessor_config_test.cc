#include "engine/image/preprocessor_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace attendant {
namespace {

using ::testing::HasSubstr;

PreprocessorConfig Parse(const std::string& text) {
  const auto config = ParsePreprocessorConfig(text, "preprocessor_config.json");
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(PreprocessorConfig());
}

std::string ConfigErrorOf(const std::string& text) {
  const auto config = ParsePreprocessorConfig(text, "preprocessor_config.json");
  if (config.ok()) return "none";
  EXPECT_EQ(config.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("preprocessor_config.json: "));
  return std::string(config.status().message());
}

TEST(PreprocessorConfigTest, EmptyObjectIsViT) {
  const PreprocessorConfig config = Parse("{}");
  EXPECT_TRUE(config.do_resize);
  EXPECT_EQ(config.size, (ImageSize{224, 224}));
  EXPECT_EQ(config.shortest_edge, std::nullopt);
  EXPECT_EQ(config.resample, ResizeFilter::kBilinear);
  EXPECT_FALSE(config.do_center_crop);
  EXPECT_EQ(config.image_mean[0], 0.5f);
  EXPECT_EQ(config.OutputSize(), (ImageSize{224, 224}));
}

TEST(PreprocessorConfigTest, DefaultsAreThoseOfTheProcessor) {
  for (const char* type : {"DeiTImageProcessor", "DeiTImageProcessorFast", "DeiTFeatureExtractor"}) {
    const PreprocessorConfig deit = Parse(std::string(R"({"feature_extractor_type": ")") + type + "\"}");
    EXPECT_EQ(deit.size, (ImageSize{256, 256}));
    EXPECT_EQ(deit.resample, ResizeFilter::kBicubic);
    EXPECT_EQ(deit.OutputSize(), (ImageSize{224, 224}));
  }
  const PreprocessorConfig clip = Parse(R"({"image_processor_type": "CLIPImageProcessor"})");
  EXPECT_EQ(clip.shortest_edge, 224);
  EXPECT_EQ(clip.image_std[2], 0.27577711f);
  EXPECT_EQ(clip.OutputSize(), (ImageSize{224, 224}));
}

TEST(PreprocessorConfigTest, EveryFormOfSize) {
  EXPECT_EQ(Parse(R"({"size": 96})").size, (ImageSize{96, 96}));
  EXPECT_EQ(Parse(R"({"size": [96, 64]})").size, (ImageSize{64, 96}));
  EXPECT_EQ(Parse(R"({"size": {"height": 96, "width": 64}})").size, (ImageSize{64, 96}));
  EXPECT_EQ(Parse(R"({"size": {"shortest_edge": 96}})").shortest_edge, 96);
  EXPECT_EQ(Parse(R"({"image_processor_type": "CLIPImageProcessor", "size": 96})").shortest_edge, 96);
  const PreprocessorConfig clip =
      Parse(R"({"image_processor_type": "CLIPImageProcessor", "size": [96, 64]})");
  EXPECT_EQ(clip.shortest_edge, std::nullopt);
  EXPECT_EQ(clip.size, (ImageSize{64, 96}));
  EXPECT_EQ(Parse(R"({"crop_size": 96})").crop_size, (ImageSize{96, 96}));
  EXPECT_EQ(Parse(R"({"crop_size": {"height": 96, "width": 64}})").crop_size, (ImageSize{64, 96}));
}

TEST(PreprocessorConfigTest, OutputSizeIsUnknownWhereItDependsOnTheImage) {
  EXPECT_EQ(Parse(R"({"size": {"shortest_edge": 96}})").OutputSize(), std::nullopt);
  EXPECT_EQ(Parse(R"({"do_resize": false})").OutputSize(), std::nullopt);
}

TEST(PreprocessorConfigTest, EdgesAtTheLimit) {
  for (const char* form : {R"({"size": %})", R"({"size": [5, %]})", R"({"size": {"height": %, "width": 5}})",
                           R"({"crop_size": %})", R"({"size": {"shortest_edge": %}})",
                           R"({"crop_size": {"height": 5, "width": %}})"}) {
    const auto with = [form](const std::string& edge) {
      std::string text = form;
      return text.replace(text.find('%'), 1, edge);
    };
    for (const char* edge : {"1", "2", "4095", "4096"})
      EXPECT_EQ(ConfigErrorOf(with(edge)), "none") << with(edge);
    for (const char* edge : {"0", "-1", "4097", "224.0", "\"224\"", "true", "1e300"}) {
      EXPECT_THAT(ConfigErrorOf(with(edge)), HasSubstr("size: ")) << with(edge);
    }
  }
}

TEST(PreprocessorConfigTest, RefusesOtherFormsOfSize) {
  for (const char* size :
       {"[]", "[5]", "[5, 5, 5]", "\"large\"", "true", R"({"height": 5})", "{}", R"({"longest_edge": 5})",
        R"({"shortest_edge": 5, "longest_edge": 9})", R"({"height": 5, "width": 5, "depth": 5})"}) {
    EXPECT_THAT(ConfigErrorOf(std::string(R"({"size": )") + size + "}"), HasSubstr("size: ")) << size;
  }
  EXPECT_THAT(ConfigErrorOf(R"({"crop_size": {"shortest_edge": 5}})"), HasSubstr("crop_size: "));
}

TEST(PreprocessorConfigTest, FilterAtTheLimit) {
  EXPECT_EQ(Parse(R"({"resample": 0})").resample, ResizeFilter::kNearest);
  EXPECT_EQ(Parse(R"({"resample": 5})").resample, ResizeFilter::kHamming);
  for (const char* filter : {"-1", "6", "2.5", "\"bilinear\""}) {
    EXPECT_THAT(ConfigErrorOf(std::string(R"({"resample": )") + filter + "}"), HasSubstr("resample: "))
        << filter;
  }
}

TEST(PreprocessorConfigTest, Channels) {
  EXPECT_EQ(Parse(R"({"image_mean": [0, 0.25, 1e2]})").image_mean,
            (std::array<float, 3>{0.0f, 0.25f, 100.0f}));
  EXPECT_EQ(Parse(R"({"image_std": 2})").image_std, (std::array<float, 3>{2.0f, 2.0f, 2.0f}));
  for (const char* value :
       {"[]", "[1, 2]", "[1, 2, 3, 4]", "[1, null, 3]", "[1, \"2\", 3]", "\"half\"", "[1, 2, 1e7]"}) {
    EXPECT_THAT(ConfigErrorOf(std::string(R"({"image_mean": )") + value + "}"), HasSubstr("image_mean: "))
        << value;
  }
  for (const char* value : {"0", "-1", "[1, 0, 1]"}) {
    EXPECT_THAT(ConfigErrorOf(std::string(R"({"image_std": )") + value + "}"), HasSubstr("image_std: "))
        << value;
  }
}

TEST(PreprocessorConfigTest, RescaleFactorKeepsDoublePrecision) {
  EXPECT_EQ(Parse(R"({"rescale_factor": 0.00392156862745098})").rescale_factor, 0.00392156862745098);
  for (const char* value : {"0", "-1", "\"1/255\"", "1e9"}) {
    EXPECT_THAT(ConfigErrorOf(std::string(R"({"rescale_factor": )") + value + "}"),
                HasSubstr("rescale_factor: "))
        << value;
  }
}

TEST(PreprocessorConfigTest, RefusesWhatItDoesNotDo) {
  EXPECT_THAT(ConfigErrorOf(R"({"do_pad": true})"), HasSubstr("do_pad: this step is not supported"));
  EXPECT_EQ(ConfigErrorOf(R"({"do_pad": false, "do_convert_rgb": true, "crop_pct": null})"), "none");
  EXPECT_THAT(ConfigErrorOf(R"({"crop_pct": 0.875})"), HasSubstr("crop_pct"));
  EXPECT_THAT(ConfigErrorOf(R"({"image_processor_type": "ConvNextImageProcessor"})"),
              HasSubstr("ConvNextImageProcessor is not supported"));
}

TEST(PreprocessorConfigTest, RefusesWhatIsNoConfig) {
  for (const char* text : {"", "[]", "{", "{\"size\": 5, \"size\": 6}", "null"})
    EXPECT_NE(ConfigErrorOf(text), "none") << text;
  EXPECT_THAT(ConfigErrorOf(R"({"do_resize": 1})"), HasSubstr("do_resize: "));
}

}  // namespace
}  // namespace attendant
