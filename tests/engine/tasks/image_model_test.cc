#include "engine/tasks/image_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/engine/scheduler/toy_jobs.h"

namespace attendant {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// The tiny ViT of the golden files in a directory that a test may change.
class ImageModelTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(dir_);
    fs::remove(outside_);
    fs::copy(ATTENDANT_SOURCE_DIR "/tests/golden/encoders/vit", dir_);
  }
  void TearDown() override {
    fs::remove_all(dir_);
    fs::remove(outside_);
  }
  absl::Status LoadStatus() {
    EncodePipelineOptions options;
    options.num_workers = 1;
    return ImageModel::Load(dir_, options, ImageLimits(), observer_, Clock::Real()).status();
  }

  const fs::path dir_ = fs::path(testing::TempDir()) / "attendant-image-model";
  const fs::path outside_ = fs::path(testing::TempDir()) / "attendant-image-model-outside";
  CountingObserver observer_;
};

TEST_F(ImageModelTest, FilesThatAreLinksOutOfTheDirectoryAreRefused) {
  for (const char* name : {"preprocessor_config.json", "config.json", "model.safetensors"}) {
    ASSERT_TRUE(LoadStatus().ok()) << LoadStatus();
    fs::rename(dir_ / name, outside_);
    fs::create_symlink(outside_, dir_ / name);
    EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kFailedPrecondition) << name;
    EXPECT_THAT(std::string(LoadStatus().message()), HasSubstr("leads out of the directory")) << name;
    fs::rename(outside_, dir_ / name);
  }
}

TEST_F(ImageModelTest, LinksWithinTheDirectoryAreFollowed) {
  fs::rename(dir_ / "preprocessor_config.json", dir_ / "other");
  EXPECT_EQ(LoadStatus().code(), absl::StatusCode::kNotFound);
  fs::create_symlink("other", dir_ / "preprocessor_config.json");
  EXPECT_TRUE(LoadStatus().ok()) << LoadStatus();
}

}  // namespace
}  // namespace attendant
