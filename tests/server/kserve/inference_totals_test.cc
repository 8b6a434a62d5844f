#include "server/inference_totals.h"

#include <gtest/gtest.h>

namespace attendant {
namespace {

using std::chrono::milliseconds;

TEST(InferenceCounterTest, AddsCallsByTheirEnd) {
  InferenceCounter counter;
  EXPECT_EQ(counter.Read().last_call_unix_ms, 0U);
  counter.AddCall(InferenceCounter::CallEnd::kOk, milliseconds(5));
  counter.AddCall(InferenceCounter::CallEnd::kOk, milliseconds(6));
  counter.AddCall(InferenceCounter::CallEnd::kFailed, milliseconds(1));
  const InferenceTotals totals = counter.Read();
  EXPECT_EQ(totals.succeeded.count, 2U);
  EXPECT_EQ(totals.succeeded.total, milliseconds(11));
  EXPECT_EQ(totals.failed.count, 1U);
  EXPECT_EQ(totals.failed.total, milliseconds(1));
  EXPECT_GT(totals.last_call_unix_ms, 1'600'000'000'000U);
}

TEST(InferenceCounterTest, WhatIsLeftOfAnInputsTimeIsTheModels) {
  InferenceCounter counter;
  counter.AddInput({milliseconds(1), milliseconds(2), milliseconds(10)});
  counter.AddInput({milliseconds(4), milliseconds(4), milliseconds(5)});  // More than there was.
  counter.AddStep();
  const InferenceTotals totals = counter.Read();
  EXPECT_EQ(totals.prepare.total, milliseconds(5));
  EXPECT_EQ(totals.queue.total, milliseconds(6));
  EXPECT_EQ(totals.compute.total, milliseconds(7));
  EXPECT_EQ(totals.compute.count, 2U);
  EXPECT_EQ(totals.steps, 1U);
}

}  // namespace
}  // namespace attendant
