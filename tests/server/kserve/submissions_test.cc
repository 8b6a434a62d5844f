#include "server/kserve/submissions.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace attendant::kserve {
namespace {

class SubmissionsTest : public testing::Test {
 protected:
  // Starts one, whose cancellation is counted.
  void Submit() {
    submissions_.Submit([this] {
      ++started_;
      return CancelHandle([this] { ++cancelled_; });
    });
  }

  int started_ = 0;
  int cancelled_ = 0;
  std::vector<absl::Status> ends_;
  Submissions submissions_{[this](absl::Status status) { ends_.push_back(std::move(status)); }};
};

TEST_F(SubmissionsTest, EndsOnceWhenClosedAndAllAreFinished) {
  Submit();
  Submit();
  submissions_.Finish(absl::OkStatus());
  submissions_.Close();
  EXPECT_TRUE(ends_.empty());
  submissions_.Finish(absl::OkStatus());
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(ends_[0].ok());
}

TEST_F(SubmissionsTest, NoneEndAtTheClose) {
  submissions_.Close();
  EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(SubmissionsTest, FirstErrorLetsTheOthersGo) {
  Submit();
  Submit();
  submissions_.Finish(absl::InvalidArgumentError("first"));
  EXPECT_EQ(cancelled_, 2);
  Submit();
  EXPECT_EQ(started_, 2) << "no more are started";
  submissions_.Close();
  submissions_.Finish(absl::CancelledError("second"));
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_EQ(ends_[0].message(), "first");
}

TEST_F(SubmissionsTest, RefusedAtTheDoorIsAnErrorLikeAnyOther) {
  submissions_.Submit([this] {
    submissions_.Finish(absl::ResourceExhaustedError("full"));
    return CancelHandle([this] { ++cancelled_; });
  });
  EXPECT_EQ(cancelled_, 1) << "its handle came after the error";
  submissions_.Close();
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(absl::IsResourceExhausted(ends_[0]));
}

TEST_F(SubmissionsTest, CancelReachesAllAndIsTheError) {
  Submit();
  submissions_.Cancel();
  EXPECT_EQ(cancelled_, 1);
  submissions_.Close();
  submissions_.Finish(absl::OkStatus());
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(absl::IsCancelled(ends_[0]));
}

}  // namespace
}  // namespace attendant::kserve
