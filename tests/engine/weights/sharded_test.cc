#include <filesystem>
#include <string>

#include "engine/weights/safetensors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/weights/files_for_test.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A file that holds one byte, `value`, as tensor `name`.
std::string OneByte(const std::string& name, char value) {
  return Safetensors("{\"" + name + R"(":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})",
                     std::string(1, value));
}

void WriteIndex(const TempDir& dir, const std::string& weight_map) {
  dir.Write("model.safetensors.index.json",
            R"({"metadata":{"total_size":2},"weight_map":)" + weight_map + "}");
}

// Directory with shards s1 (tensor a) and s2 (tensor b) and no index.
class ShardedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_.Write("s1.safetensors", OneByte("a", 1));
    dir_.Write("s2.safetensors", OneByte("b", 2));
  }
  absl::Status LoadWith(const std::string& weight_map) {
    WriteIndex(dir_, weight_map);
    return LoadModelWeights(dir_.path()).status();
  }
  TempDir dir_;
};

TEST_F(ShardedTest, ReadsAllShards) {
  WriteIndex(dir_, R"({"a":"s1.safetensors","b":"s2.safetensors"})");
  auto weights = LoadModelWeights(dir_.path());
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(weights->names(), ElementsAre("a", "b"));
  EXPECT_EQ(weights->Get("b").value().data[0], std::byte{2});
}

TEST_F(ShardedTest, PrefersTheSingleFile) {
  WriteIndex(dir_, R"({"a":"s1.safetensors","b":"s2.safetensors"})");
  dir_.Write("model.safetensors", OneByte("only", 3));
  EXPECT_THAT(LoadModelWeights(dir_.path()).value().names(), ElementsAre("only"));
}

TEST_F(ShardedTest, RefusesAnIndexThatDisagreesWithTheShards) {
  const auto surplus = LoadWith(R"({"a":"s1.safetensors"})");
  EXPECT_TRUE(surplus.ok()) << "a shard that the index does not list is not read";
  const auto missing = LoadWith(R"({"a":"s1.safetensors","c":"s1.safetensors","b":"s2.safetensors"})");
  EXPECT_EQ(missing.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("s1.safetensors: does not hold tensor c"));
  const auto swapped = LoadWith(R"({"a":"s2.safetensors","b":"s1.safetensors"})");
  EXPECT_EQ(swapped.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(swapped.message()), HasSubstr("holds tensor"));
}

TEST_F(ShardedTest, RefusesATensorThatTwoShardsHold) {
  dir_.Write("s2.safetensors", OneByte("a", 2));
  const auto status = LoadWith(R"({"a":"s1.safetensors","b":"s2.safetensors"})");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(ShardedTest, RefusesShardNamesThatLeaveTheDirectory) {
  const TempDir outside;
  outside.Write("secret.safetensors", OneByte("b", 9));
  fs::create_symlink(outside.path() + "/secret.safetensors", dir_.path() + "/link.safetensors");
  fs::create_directory(dir_.path() + "/sub");
  for (const std::string& name : {std::string("../x.safetensors"), outside.path() + "/secret.safetensors",
                                  std::string("sub/../s2.safetensors"), std::string(".."), std::string("."),
                                  std::string(""), std::string("link.safetensors")}) {
    const auto status = LoadWith(R"({"a":"s1.safetensors","b":")" + name + "\"}");
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << name << " " << status;
  }
  EXPECT_EQ(LoadWith(R"({"a":"s1.safetensors","b":"\u0000"})").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(LoadWith(R"({"a":"s1.safetensors","b":"none.safetensors"})").code(), absl::StatusCode::kNotFound);
}

TEST_F(ShardedTest, FollowsLinksThatStayInTheDirectory) {
  fs::create_symlink("s2.safetensors", dir_.path() + "/link.safetensors");
  EXPECT_TRUE(LoadWith(R"({"a":"s1.safetensors","b":"link.safetensors"})").ok());
  const auto twice = LoadWith(R"({"a":"s1.safetensors","b":"link.safetensors","c":"s2.safetensors"})");
  EXPECT_THAT(std::string(twice.message()), HasSubstr("under two names"));
}

TEST_F(ShardedTest, RefusesBrokenIndexes) {
  for (const char* map : {"{}", "[]", R"({"a":1})", R"({"a":"s1.safetensors","a":"s2.safetensors"})"}) {
    EXPECT_EQ(LoadWith(map).code(), absl::StatusCode::kDataLoss) << map;
  }
  dir_.Write("model.safetensors.index.json", "{}");
  EXPECT_THAT(std::string(LoadModelWeights(dir_.path()).status().message()),
              HasSubstr("weight_map is missing"));
}

TEST(LoadModelWeightsTest, RefusesPickleAndSaysWhatToDo) {
  for (const char* name : {"pytorch_model.bin", "model.pt", "weights.pth", "last.ckpt"}) {
    const TempDir dir;
    dir.Write(name, "\x80\x02.");
    const auto status = LoadModelWeights(dir.path()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
    EXPECT_THAT(std::string(status.message()), HasSubstr("convert the model to safetensors"));
  }
}

TEST(LoadModelWeightsTest, NamesADirectoryWithoutWeights) {
  const TempDir dir;
  EXPECT_EQ(LoadModelWeights(dir.path()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadModelWeights(dir.path() + "/none").status().code(), absl::StatusCode::kNotFound);
}

TEST(LoadModelWeightsTest, RefusesALinkOutOfTheDirectory) {
  const TempDir outside, dir;
  outside.Write("m", OneByte("a", 1));
  fs::create_symlink(outside.path() + "/m", dir.path() + "/model.safetensors");
  EXPECT_EQ(LoadModelWeights(dir.path()).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace attendant
