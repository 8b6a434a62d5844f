#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <vector>

#include "server/call_scope.h"
#include "server/kserve/infer_answer.h"
#include "server/kserve/infer_plan.h"
#include "server/kserve/submissions.h"
#include "server/service_context.h"
#include "server/stall_watch.h"

namespace attendant::kserve {

// One ModelInfer call: starts itself, finishes exactly once, and deletes itself when gRPC is done with it.
class InferCall final : public grpc::ServerUnaryReactor {
 public:
  // response: gRPC's, filled before Finish.
  InferCall(const ServiceContext& services, grpc::CallbackServerContext& context, grpc::ByteBuffer& response);
  void Start(const grpc::ByteBuffer& request);

 private:
  absl::Status Prepare(const grpc::ByteBuffer& request);
  void SubmitAll(Submissions& submissions);
  CancelHandle Translate(size_t index, std::string text);
  CancelHandle Embed(size_t index, std::string element);
  CancelHandle Classify(size_t index, std::string element);
  template <typename Task>
  Task MakeTask(std::string element) const;
  template <typename Answer, typename Take>
  auto Completion(size_t index, Take take);

  void OnTranslation(size_t index, absl::StatusOr<TranslationResult> result);
  // Names the element, and the reason of a refusal.
  absl::Status Explain(size_t index, const absl::Status& status) const;
  void OnAllDone(absl::Status status);
  absl::Status FillResponse();
  absl::Status AnswerTooLarge() const;
  int32_t NumHypotheses() const;
  void FinishWith(const absl::Status& status);

  void OnCancel() override;
  void OnDone() override { delete this; }

  const ServiceContext& services_;
  grpc::CallbackServerContext& context_;
  grpc::ByteBuffer& response_;
  StallWatch::Call stall_;
  CallScope scope_;
  TimePoint deadline_;
  const std::shared_ptr<Submissions> submissions_;
  ServedModel model_;
  InferPlan plan_;
  // One for each element; each part written by its own completion, read when all are done.
  std::vector<ElementAnswer> answers_;
  std::atomic<int64_t> answer_bytes_{0};  // Of the translations, and of those that were too many.
};

}  // namespace attendant::kserve
