#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "attendant/v1/translation_service.pb.h"
#include "server/call_scope.h"
#include "server/content_batch.h"
#include "server/service_context.h"
#include "server/stall_watch.h"

namespace attendant {

// A cancelled call whose deadline has passed was cancelled by its deadline: gRPC tells the two apart no
// better.
absl::Status WithDeadlineExplained(absl::Status status, TimePoint deadline, TimePoint now);

// Puts `retry-after-ms` into the trailing metadata of a call that is shed.
void AddRetryHint(const absl::Status& status, const ServedModel& model, grpc::CallbackServerContext& context);

// Whether OnCancel means that the client lost interest, rather than that the deadline is due, which the
// scheduler sees for itself.
bool IsClientCancel(TimePoint deadline, TimePoint now);

// Sums token counts and takes the longest of each phase.
class CallTotals {
 public:
  void Add(const TranslationResult& result);
  int32_t input_tokens() const { return input_tokens_; }
  int32_t output_tokens() const { return output_tokens_; }
  v1::PhaseTiming Timing(Duration total) const;

 private:
  int32_t input_tokens_ = 0;
  int32_t output_tokens_ = 0;
  PhaseTiming longest_;
};

// One Translate call: starts itself, finishes exactly once, and deletes itself when gRPC is done with it.
class TranslateCall final : public grpc::ServerUnaryReactor {
 public:
  // response: gRPC's, filled before Finish.
  TranslateCall(const ServiceContext& services, grpc::CallbackServerContext& context,
                grpc::ByteBuffer& response);
  void Start(const grpc::ByteBuffer& request);

 private:
  void OnCancel() override;
  void OnDone() override { delete this; }
  void OnContent(int32_t content, TranslationResult result);
  void OnAllDone(absl::Status status);
  absl::Status FillResponse();
  void Refuse(const absl::Status& status);
  void FinishWith(const absl::Status& status);

  const ServiceContext& services_;
  grpc::CallbackServerContext& context_;
  grpc::ByteBuffer& response_;
  StallWatch::Call stall_;
  CallScope scope_;
  const TimePoint deadline_;
  const std::shared_ptr<ContentBatch> batch_;
  ServedModel model_;
  // Each written by its own content's completion, read when all are done.
  std::vector<TranslationResult> results_;
  std::atomic<int64_t> answer_bytes_{0};  // Of results_, and of those that were too many.
};

}  // namespace attendant
