#include "server/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "attendant/v1/classification_service.pb.h"
#include "attendant/v1/embedding_service.pb.h"
#include "attendant/v1/translation_service.pb.h"
#include "server/grpc_status.h"
#include "server/lenient_request.pb.h"

namespace attendant {
namespace {

using server::LenientTranslateRequest;
using testing::HasSubstr;

grpc::ByteBuffer Buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Gzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string result(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

MessageLimits Limits() {
  MessageLimits limits;
  limits.max_bytes = 1000;
  limits.bulk_field = 1;
  limits.max_bulk_fields = 3;
  return limits;
}

std::string WithContents(int count, const std::string& text = "") {
  v1::TranslateRequest request;
  for (int i = 0; i < count; ++i) request.add_contents(text);
  return request.SerializeAsString();
}

absl::Status ParseBytes(const std::string& bytes, const MessageLimits& limits = Limits()) {
  LenientTranslateRequest request;
  return ParseMessage(Buffer(bytes), limits, request);
}

TEST(MessageTest, ParsesPlainAndGzip) {
  const std::string bytes = WithContents(2, "Hello");
  for (const std::string& sent : {bytes, Gzip(bytes)}) {
    LenientTranslateRequest request;
    ASSERT_TRUE(ParseMessage(Buffer(sent), Limits(), request).ok());
    EXPECT_EQ(request.contents_size(), 2);
    EXPECT_EQ(request.contents(1), "Hello");
  }
}

TEST(MessageTest, EmptyBytesAreAnEmptyMessage) {
  EXPECT_TRUE(ParseBytes("").ok());
}

TEST(MessageTest, SizeIsBoundedBeforeAndAfterDecompression) {
  const auto message_of = [](size_t bytes) {  // Field 1 with a length of two bytes.
    return WithContents(1, std::string(bytes - 3, 'a'));
  };
  for (const size_t bytes : {999, 1000}) {
    ASSERT_EQ(message_of(bytes).size(), bytes);
    EXPECT_TRUE(ParseBytes(message_of(bytes)).ok()) << bytes;
    EXPECT_TRUE(ParseBytes(Gzip(message_of(bytes))).ok()) << bytes;
  }
  const std::string bomb = Gzip(message_of(900'000));
  ASSERT_LT(bomb.size(), 1000U);
  for (const std::string& sent : {message_of(1001), Gzip(message_of(1001)), bomb}) {
    const absl::Status status = ParseBytes(sent);
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_EQ(ReasonOf(status), RejectReason::kTooLarge);
  }
}

TEST(MessageTest, CountsFieldsBeforeItBuildsThem) {
  EXPECT_TRUE(ParseBytes(WithContents(2)).ok());
  EXPECT_TRUE(ParseBytes(WithContents(3)).ok());
  const absl::Status status = ParseBytes(WithContents(4));
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(ReasonOf(status), RejectReason::kStructure);
  EXPECT_THAT(std::string(status.message()), HasSubstr("4 inputs in one call are more than the limit of 3"));
}

TEST(MessageTest, BoundsTheOtherFields) {
  MessageLimits limits = Limits();
  limits.max_other_bytes = 10;
  limits.max_other_fields = 2;
  EXPECT_TRUE(ParseBytes("\x30\x01\x30\x01", limits).ok());           // Field 6 twice.
  EXPECT_FALSE(ParseBytes("\x30\x01\x30\x01\x30\x01", limits).ok());  // ... three times.
  v1::TranslateRequest request;
  request.set_model(std::string(9, 'm'));
  EXPECT_TRUE(ParseBytes(request.SerializeAsString(), limits).ok());
  request.set_model(std::string(10, 'm'));
  EXPECT_FALSE(ParseBytes(request.SerializeAsString(), limits).ok());
}

TEST(MessageTest, BytesThatAreNoMessageAreInvalid) {
  const std::string whole = WithContents(1, "Hello");
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseBytes(whole.substr(0, cut)))) << cut;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParseBytes("\xff\xff\xff\xff\xff\xff")));
  const std::string gzip = Gzip(whole);
  EXPECT_TRUE(absl::IsInvalidArgument(ParseBytes(gzip.substr(0, gzip.size() / 2))));
  EXPECT_TRUE(absl::IsInvalidArgument(ParseBytes("\x1f\x8b")));
}

TEST(MessageTest, LenientRequestsHaveTheFieldsOfThePublicOnes) {
  const std::pair<const google::protobuf::Descriptor*, const google::protobuf::Descriptor*> twins[] = {
      {LenientTranslateRequest::descriptor(), v1::TranslateRequest::descriptor()},
      {server::LenientEmbedTextRequest::descriptor(), v1::EmbedTextRequest::descriptor()},
      {server::LenientClassifyTextRequest::descriptor(), v1::ClassifyTextRequest::descriptor()},
      {server::LenientLabelTokensRequest::descriptor(), v1::LabelTokensRequest::descriptor()},
  };
  for (const auto& [lenient, open] : twins) {
    ASSERT_EQ(lenient->field_count(), open->field_count());
    for (int i = 0; i < open->field_count(); ++i) {
      const auto* twin = lenient->FindFieldByNumber(open->field(i)->number());
      ASSERT_NE(twin, nullptr);
      EXPECT_EQ(twin->name(), open->field(i)->name());
      EXPECT_EQ(twin->cpp_type(), open->field(i)->cpp_type());
      EXPECT_EQ(twin->is_repeated(), open->field(i)->is_repeated());
      EXPECT_EQ(twin->has_presence(), open->field(i)->has_presence());
      EXPECT_EQ(twin->message_type(), open->field(i)->message_type());
      EXPECT_EQ(twin->enum_type(), open->field(i)->enum_type());
    }
  }
}

TEST(MessageTest, TextThatIsNotUtf8GetsThroughInContentsOnly) {
  LenientTranslateRequest request;
  request.add_contents(std::string("\xff"));
  EXPECT_TRUE(ParseBytes(request.SerializeAsString()).ok());
  // options.target_prefix, a string of field 5.
  EXPECT_TRUE(absl::IsInvalidArgument(ParseBytes(std::string("\x2a\x04\x82\x01\x01\xff", 6))));
}

}  // namespace
}  // namespace attendant
