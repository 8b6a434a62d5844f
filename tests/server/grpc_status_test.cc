#include "server/grpc_status.h"

#include <gtest/gtest.h>

#include <string>

namespace attendant {
namespace {

TEST(GrpcStatusTest, KeepsCodeAndMessage) {
  const grpc::Status status = ToGrpcStatus(absl::NotFoundError("no such model"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such model");
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
}

TEST(GrpcStatusTest, CutsMessagesThatDoNotFitIntoAHeader) {
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(std::string(100'000, 'x'))).error_message().size(), 2000U);
}

TEST(GrpcStatusTest, RejectedRemembersItsReason) {
  EXPECT_EQ(ReasonOf(Rejected(RejectReason::kTooLarge, absl::ResourceExhaustedError(""))),
            RejectReason::kTooLarge);
  EXPECT_EQ(ReasonOf(absl::ResourceExhaustedError("")), std::nullopt);
  EXPECT_TRUE(Rejected(RejectReason::kInvalid, absl::OkStatus()).ok());
}

}  // namespace
}  // namespace attendant
