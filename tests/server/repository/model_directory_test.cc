#include "server/repository/model_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

std::vector<int64_t> NumbersOf(const absl::StatusOr<ModelDirectory>& directory) {
  std::vector<int64_t> numbers;
  if (!directory.ok()) return {-1};
  for (const VersionDirectory& version : directory->versions) numbers.push_back(version.version);
  return numbers;
}

class ModelDirectoryTest : public testing::Test {
 protected:
  absl::StatusOr<ModelDirectory> Read(const std::string& name) const {
    return ReadModelDirectory(dir_.path() / name, dir_.path());
  }

  TempDir dir_;
};

TEST_F(ModelDirectoryTest, ConfigInTheDirectoryIsAModelWithoutVersions) {
  dir_.Write("a/config.json", "{}");
  dir_.Write("a/7/config.json", "{}");
  EXPECT_THAT(NumbersOf(Read("a")), ElementsAre(0));
}

TEST_F(ModelDirectoryTest, VersionsAreDirectoriesWithPlainNumbers) {
  for (const char* name : {"1", "2", "10", "007", "0", "-3", "+4", "5x", "99999999999999999999"}) {
    dir_.Write(std::string("a/") + name + "/config.json", "{}");
  }
  dir_.Write("a/11/weights", "no config.json yet");
  EXPECT_THAT(NumbersOf(Read("a")), ElementsAre(1, 2, 10));
}

TEST_F(ModelDirectoryTest, NothingThereIsNotFound) {
  fs::create_directory(dir_.path() / "empty");
  EXPECT_TRUE(absl::IsNotFound(Read("empty").status()));
  EXPECT_TRUE(absl::IsNotFound(Read("none").status()));
}

TEST_F(ModelDirectoryTest, LinksLeadNowhereOutside) {
  TempDir outside;
  outside.Write("model/config.json", "{}");
  dir_.Write("real/config.json", "{}");
  dir_.Write("versions/1/config.json", "{}");
  fs::create_directory_symlink(outside.path() / "model", dir_.path() / "out");
  fs::create_directory_symlink(outside.path() / "model", dir_.path() / "versions" / "2");
  fs::create_directory_symlink(dir_.path() / "real", dir_.path() / "in");
  EXPECT_TRUE(absl::IsFailedPrecondition(Read("out").status()));
  EXPECT_THAT(std::string(Read("out").status().message()), HasSubstr("leads out of"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Read("versions").status()));
  EXPECT_THAT(NumbersOf(Read("in")), ElementsAre(0));
  EXPECT_FALSE(ReadModelDirectory(dir_.path() / "real" / ".." / ".." / outside.path().filename() / "model",
                                  dir_.path() / "real")
                   .ok());
}

TEST_F(ModelDirectoryTest, FingerprintTellsEveryChange) {
  dir_.Write("a/config.json", "{}");
  dir_.Write("a/1_Pooling/config.json", "{}");
  std::vector<uint64_t> seen = {Read("a")->fingerprint};
  EXPECT_EQ(Read("a")->fingerprint, seen.front());
  const auto expect_change = [&](const char* what) {
    const uint64_t now = Read("a")->fingerprint;
    EXPECT_THAT(seen, testing::Not(testing::Contains(now))) << what;
    seen.push_back(now);
  };
  dir_.Write("a/model.safetensors", "1234");
  expect_change("a new file");
  dir_.Write("a/model.safetensors", "12345");
  expect_change("another size");
  fs::last_write_time(dir_.path() / "a/config.json",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  expect_change("another time");
  dir_.Write("a/1_Pooling/config.json", "{ }");
  expect_change("deeper down");
  dir_.Write("a/serving.textproto", "num_workers: 1");
  expect_change("how it is served");
  fs::rename(dir_.path() / "a/model.safetensors", dir_.path() / "a/other.safetensors");
  expect_change("another name");
}

TEST_F(ModelDirectoryTest, ServingFileSaysHowItIsServed) {
  dir_.Write("a/1/config.json", "{}");
  dir_.Write("a/serving.textproto", "versions { all: true } label { name: 'stable' version: 1 }");
  EXPECT_TRUE(Read("a")->serving.versions().all());
  for (const char* wrong :
       {"name: 'b'", "path: '/'", "versions { latest: 0 }", "versions { latest: 1001 }",
        "versions { latest: 1 all: true }", "versions { version: 0 }", "num_workers: 1025",
        "label { name: '3x' version: 1 }", "label { name: 'a' version: 0 }",
        "label { name: 'a' version: 1 } label { name: 'a' version: 2 }", "nonsense"}) {
    dir_.Write("a/serving.textproto", wrong);
    EXPECT_TRUE(absl::IsInvalidArgument(Read("a").status())) << wrong;
  }
  for (const char* right : {"versions { latest: 1 }", "versions { latest: 1000 }", "num_workers: 1024", ""}) {
    dir_.Write("a/serving.textproto", right);
    EXPECT_TRUE(Read("a").ok()) << right;
  }
}

TEST_F(ModelDirectoryTest, RepositoryListsWhatCanBeNamed) {
  dir_.Write("b/config.json", "{}");
  dir_.Write("a/3/config.json", "{}");
  dir_.Write(".hidden/config.json", "{}");
  dir_.Write("with space/config.json", "{}");
  dir_.Write("notes/readme.txt", "");
  EXPECT_THAT(*ListModelDirectories(dir_.path()), ElementsAre("a", "b"));
  EXPECT_TRUE(absl::IsFailedPrecondition(ListModelDirectories(dir_.path() / "none").status()));
}

TEST(SelectVersionsTest, FollowsThePolicy) {
  const std::vector<int64_t> all = {1, 2, 5, 9};
  config::VersionPolicy policy;
  EXPECT_THAT(SelectVersions(policy, all), ElementsAre(9));
  policy.set_latest(3);
  EXPECT_THAT(SelectVersions(policy, all), ElementsAre(2, 5, 9));
  policy.set_latest(4);
  EXPECT_EQ(SelectVersions(policy, all), all);
  policy.set_latest(5);
  EXPECT_EQ(SelectVersions(policy, all), all);
  policy.Clear();
  policy.set_all(true);
  EXPECT_EQ(SelectVersions(policy, all), all);
  policy.Clear();
  policy.add_version(5);
  policy.add_version(6);
  EXPECT_THAT(SelectVersions(policy, all), ElementsAre(5));
  EXPECT_THAT(SelectVersions(policy, {}), IsEmpty());
}

}  // namespace
}  // namespace attendant
