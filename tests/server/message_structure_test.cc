#include "server/message_structure.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace attendant {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::ListValue;
using google::protobuf::SourceCodeInfo;
using google::protobuf::Struct;
using google::protobuf::Value;
using testing::HasSubstr;

template <typename Message>
absl::Status CheckBytes(const std::string& bytes, const StructureLimits& limits) {
  return CheckMessageStructure(bytes, *Message::descriptor(), limits);
}
template <typename Message>
absl::Status CheckMessage(const Message& message, const StructureLimits& limits) {
  return CheckBytes<Message>(message.SerializeAsString(), limits);
}

std::string Varint(uint64_t value) {
  std::string result;
  for (; value >= 0x80; value >>= 7) result.push_back(static_cast<char>(value | 0x80));
  result.push_back(static_cast<char>(value));
  return result;
}
std::string Tag(int field, int wire_type) {
  return Varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire_type));
}

TEST(MessageStructureTest, EmptyMessageIsFine) {
  EXPECT_TRUE(CheckMessage(Struct(), {.max_fields = 0, .max_elements = 0, .max_depth = 1}).ok());
}

TEST(MessageStructureTest, FieldsOfAllLevelsCount) {
  DescriptorProto message;  // 1 + 2 * (1 + 2) fields.
  message.set_name("m");
  for (int i = 0; i < 2; ++i) {
    auto* field = message.add_field();
    field->set_name("f");
    field->set_number(1);
  }
  EXPECT_TRUE(CheckMessage(message, {.max_fields = 8}).ok());
  EXPECT_TRUE(CheckMessage(message, {.max_fields = 7}).ok());
  const absl::Status status = CheckMessage(message, {.max_fields = 6});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("more than 6 fields"));
}

TEST(MessageStructureTest, EmptyNestedMessagesAreCountedBeforeTheyGrow) {
  std::string bytes;  // Four million bytes that would take hundreds of megabytes.
  for (int i = 0; i < 2'000'000; ++i) bytes += Tag(1, 2) + '\0';
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(CheckBytes<ListValue>(bytes, {}).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

TEST(MessageStructureTest, ElementsOfARepeatedField) {
  ListValue list;
  for (int i = 0; i < 5; ++i) list.add_values();
  EXPECT_TRUE(CheckMessage(list, {.max_elements = 6}).ok());
  EXPECT_TRUE(CheckMessage(list, {.max_elements = 5}).ok());
  EXPECT_THAT(std::string(CheckMessage(list, {.max_elements = 4}).message()), HasSubstr("values: more than 4"));
}

TEST(MessageStructureTest, ElementsOfEachMessageCountForItself) {
  ListValue list;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) list.add_values()->mutable_list_value()->add_values();
  }
  EXPECT_FALSE(CheckMessage(list, {.max_elements = 8}).ok());
  ListValue nested;
  for (int i = 0; i < 3; ++i) {
    Value* value = nested.add_values();
    for (int j = 0; j < 3; ++j) value->mutable_list_value()->add_values();
  }
  EXPECT_TRUE(CheckMessage(nested, {.max_elements = 3}).ok());
}

TEST(MessageStructureTest, PackedAndUnpackedElementsAddUp) {
  SourceCodeInfo::Location location;  // path: repeated int32, packed.
  for (const int32_t value : {0, 127, 128, -1, 1 << 30}) location.add_path(value);
  EXPECT_TRUE(CheckMessage(location, {.max_elements = 5}).ok());
  EXPECT_FALSE(CheckMessage(location, {.max_elements = 4}).ok());
  const std::string more = location.SerializeAsString() + Tag(1, 0) + Varint(7);
  EXPECT_TRUE(CheckBytes<SourceCodeInfo::Location>(more, {.max_elements = 6}).ok());
  EXPECT_FALSE(CheckBytes<SourceCodeInfo::Location>(more, {.max_elements = 5}).ok());
}

TEST(MessageStructureTest, MapEntriesAreElements) {
  Struct message;
  for (int i = 0; i < 4; ++i) (*message.mutable_fields())[std::to_string(i)].set_bool_value(true);
  EXPECT_TRUE(CheckMessage(message, {.max_elements = 4}).ok());
  EXPECT_FALSE(CheckMessage(message, {.max_elements = 3}).ok());
  const std::string twice = message.SerializeAsString() + message.SerializeAsString();  // The same keys.
  EXPECT_FALSE(CheckBytes<Struct>(twice, {.max_elements = 7}).ok());
}

TEST(MessageStructureTest, UnknownFieldsCountAsFields) {
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += Tag(1000 + i, 0) + Varint(1);
  EXPECT_TRUE(CheckBytes<Struct>(bytes, {.max_fields = 10}).ok());
  EXPECT_FALSE(CheckBytes<Struct>(bytes, {.max_fields = 9}).ok());
}

TEST(MessageStructureTest, GroupsAreRefused) {
  EXPECT_FALSE(CheckBytes<Struct>(Tag(99, 3) + Tag(99, 4), {}).ok());
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += Tag(99, 3);
  EXPECT_FALSE(CheckBytes<Struct>(deep, {}).ok());
  EXPECT_FALSE(CheckBytes<Struct>(Tag(99, 4), {}).ok());
}

TEST(MessageStructureTest, DepthIsBounded) {
  const auto nested = [](int levels) {  // ListValue in Value in ListValue ...
    ListValue list;
    ListValue* inner = &list;
    for (int i = 1; i < levels; i += 2) inner = inner->add_values()->mutable_list_value();
    return list;
  };
  EXPECT_TRUE(CheckMessage(nested(3), {.max_depth = 4}).ok());
  EXPECT_TRUE(CheckMessage(nested(3), {.max_depth = 3}).ok());
  EXPECT_FALSE(CheckMessage(nested(3), {.max_depth = 2}).ok());
  std::string deep;  // Each level's length is right: 20,000 levels.
  for (int i = 0; i < 10'000; ++i) {
    deep = Tag(6, 2) + Varint(deep.size()) + deep;
    deep = Tag(1, 2) + Varint(deep.size()) + deep;
  }
  EXPECT_FALSE(CheckBytes<ListValue>(deep, {.max_fields = 1'000'000}).ok());
}

TEST(MessageStructureTest, BrokenBytesAreErrors) {
  for (const std::string& bytes :
       {std::string("\x0a"), Tag(1, 2) + Varint(5) + "abc", Tag(1, 6), Tag(1, 2) + std::string(11, '\xff'),
        Tag(1, 5) + "abc", Tag(1, 2) + Varint(2) + "\x0a\x05"}) {
    EXPECT_FALSE(CheckBytes<Struct>(bytes, {}).ok());
  }
}

}  // namespace
}  // namespace attendant
