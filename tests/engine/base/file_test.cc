#include "engine/base/file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace attendant {
namespace {

TEST(ReadTextFileTest, ReadsFilesUpToTheLimit) {
  const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "attendant-text-file";
  std::ofstream(file, std::ios::binary) << std::string("a\0b\n", 4);
  EXPECT_EQ(ReadTextFile(file, 3).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*ReadTextFile(file, 4), std::string("a\0b\n", 4));
  EXPECT_EQ(*ReadTextFile(file, 5), std::string("a\0b\n", 4));
  std::filesystem::remove(file);
}

TEST(ReadTextFileTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(ReadTextFile("/nonexistent", 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadTextFile("/tmp", 10).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadTextFile("/dev/zero", 10).status().code(), absl::StatusCode::kFailedPrecondition);
}

class ResolveWithinTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ / "model/sub");
    for (const char* name : {"model/file", "model/sub/file", "outside", "model-2"}) Write(name, name);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void Write(const char* name, const char* text) const { std::ofstream(root_ / name) << text; }
  void Link(const char* target, const char* name) const {
    std::filesystem::create_symlink(target, root_ / "model" / name);
  }
  absl::StatusOr<std::string> Read(std::string_view name) const {
    return ReadTextFileWithin(root_ / "model", name, 100);
  }

  const std::filesystem::path root_ = std::filesystem::path(::testing::TempDir()) / "attendant-resolve";
};

TEST_F(ResolveWithinTest, NamesThatAreNotPlainAreRefused) {
  EXPECT_EQ(*Read("file"), "model/file");
  for (const std::string& name :
       {std::string(""), std::string("."), std::string(".."), std::string("../outside"),
        std::string("sub/file"), std::string("./file"), (root_ / "model/file").string(),
        std::string("file\0", 5), std::string("file\0/../../outside", 20)}) {
    EXPECT_EQ(Read(name).status().code(), absl::StatusCode::kFailedPrecondition) << name;
  }
  EXPECT_EQ(Read("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadTextFileWithin(root_ / "none", "file", 100).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ResolveWithinTest, LinksMayNotLeadOut) {
  Link("file", "near");
  Link("sub/file", "below");
  Link("../model/file", "around");
  for (const char* name : {"near", "below", "around"}) EXPECT_TRUE(Read(name).ok()) << name;
  Link("../outside", "out");
  Link("../model-2", "sibling");
  Link("/etc/passwd", "absolute");
  Link("out", "chain");
  Link("..", "parent");
  Link("loop", "loop");
  for (const char* name : {"out", "sibling", "absolute", "chain", "parent", "loop"}) {
    EXPECT_EQ(Read(name).status().code(), absl::StatusCode::kFailedPrecondition) << name;
  }
  Link("../none", "dangling");
  EXPECT_EQ(Read("dangling").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace attendant
