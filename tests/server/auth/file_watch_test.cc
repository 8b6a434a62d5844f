#include "server/auth/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

TEST(FileWatchTest, TellsAChangeOnceAndOnlyWhenItHasSettled) {
  const TempDir dir;
  FileWatch watch({dir.Write("a", "1"), dir.Write("b", "1")});
  EXPECT_FALSE(watch.HasSettledChange());
  dir.Write("b", "22");
  EXPECT_FALSE(watch.HasSettledChange()) << "it may be half written";
  dir.Write("b", "333");
  EXPECT_FALSE(watch.HasSettledChange()) << "it was";
  EXPECT_TRUE(watch.HasSettledChange());
  EXPECT_FALSE(watch.HasSettledChange());
}

TEST(FileWatchTest, SeesRenamesOverTheFileAndLinksThatPointElsewhere) {
  const TempDir dir;
  dir.Write("old/a", "1");
  dir.Write("new/a", "2");
  fs::create_directory_symlink(dir.path() / "old", dir.path() / "now");
  FileWatch watch({dir.path() / "now" / "a"});
  fs::create_directory_symlink(dir.path() / "new", dir.path() / "next");
  fs::rename(dir.path() / "next", dir.path() / "now");
  EXPECT_FALSE(watch.HasSettledChange());
  EXPECT_TRUE(watch.HasSettledChange());
  fs::rename(dir.Write("c", "2"), dir.path() / "new" / "a");
  EXPECT_FALSE(watch.HasSettledChange());
  EXPECT_TRUE(watch.HasSettledChange());
}

TEST(FileWatchTest, AFileThatGoesIsAChangeAndComesBackAsAnother) {
  const TempDir dir;
  const std::string file = dir.Write("a", "1");
  FileWatch watch({file});
  fs::remove(file);
  EXPECT_FALSE(watch.HasSettledChange());
  EXPECT_TRUE(watch.HasSettledChange());
  dir.Write("a", "1");
  EXPECT_FALSE(watch.HasSettledChange());
  EXPECT_TRUE(watch.HasSettledChange());
}

}  // namespace
}  // namespace attendant
