#include "server/repository/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::HasSubstr;

// printf abc | sha256sum; printf '' | sha256sum
constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kEmpty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class ManifestTest : public testing::Test {
 protected:
  ManifestTest() {
    dir_.Write("config.json", "abc");
    dir_.Write("1_Pooling/config.json", "");
  }
  std::string Check(const std::string& manifest) const {
    dir_.Write(kManifestFile, manifest);
    const absl::Status status = CheckManifest(dir_.path());
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    return std::string(status.message());
  }
  static std::string Line(const std::string& digest, const std::string& path) {
    return digest + "  " + path + "\n";
  }
  const std::string good_ = Line(kAbc, "config.json") + Line(kEmpty, "1_Pooling/config.json");

  TempDir dir_;
};

TEST_F(ManifestTest, NoManifestNothingToCheck) {
  EXPECT_TRUE(CheckManifest(dir_.path()).ok());
}

TEST_F(ManifestTest, FilesAsNamedPass) {
  EXPECT_EQ(Check(good_), "");
  dir_.Write("README.md", "for people");
  dir_.Write("LICENSE", "for people");
  dir_.Write(".gitignore", "");
  dir_.Write("serving.textproto", "");
  EXPECT_EQ(Check(good_), "");
}

TEST_F(ManifestTest, ChangedMissingAndSurplusFilesAreRefused) {
  EXPECT_THAT(Check(Line(kEmpty, "config.json") + Line(kEmpty, "1_Pooling/config.json")),
              HasSubstr("its SHA-256 is ba7816bf"));
  EXPECT_THAT(Check(good_ + Line(kAbc, "model.safetensors")), HasSubstr("model.safetensors"));
  EXPECT_THAT(Check(Line(kAbc, "config.json")), HasSubstr("does not name it"));
  EXPECT_THAT(Check(""), HasSubstr("does not name it"));
}

TEST_F(ManifestTest, ItsOwnFormIsChecked) {
  EXPECT_THAT(Check(good_ + "nonsense\n"), HasSubstr("no line of sha256sum"));
  EXPECT_THAT(Check(good_ + std::string(kAbc).substr(1) + "  x\n"), HasSubstr("no line of sha256sum"));
  EXPECT_THAT(Check(good_ + good_), HasSubstr("twice"));
  for (const char* path : {"../config.json", "/etc/passwd", "1_Pooling/../config.json", "./config.json"}) {
    EXPECT_THAT(Check(good_ + Line(kAbc, path)), HasSubstr("not a path within")) << path;
  }
}

TEST_F(ManifestTest, LinksLeadNowhereElse) {
  TempDir outside;
  outside.Write("secret", "abc");
  std::filesystem::create_symlink(outside.path() / "secret", dir_.path() / "model.safetensors");
  EXPECT_THAT(Check(good_ + Line(kAbc, "model.safetensors")), HasSubstr("link out of the directory"));
  std::filesystem::remove(dir_.path() / "model.safetensors");
  std::filesystem::create_directory_symlink(outside.path(), dir_.path() / "2_Dense");
  EXPECT_THAT(Check(good_), HasSubstr("link to a directory"));
}

}  // namespace
}  // namespace attendant
