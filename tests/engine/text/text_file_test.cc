#include "engine/text/text_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace attendant {
namespace {

TEST(TextFileTest, ReadsFilesUpToTheLimit) {
  const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "attendant-text-file";
  std::ofstream(file, std::ios::binary) << std::string("a\0b\n", 4);
  EXPECT_EQ(ReadTextFile(file, 3).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*ReadTextFile(file, 4), std::string("a\0b\n", 4));
  EXPECT_EQ(*ReadTextFile(file, 5), std::string("a\0b\n", 4));
  std::filesystem::remove(file);
}

TEST(TextFileTest, WhatIsNoFileIsNotFound) {
  EXPECT_EQ(ReadTextFile("/nonexistent", 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadTextFile("/tmp", 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadTextFile("/dev/zero", 10).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace attendant
