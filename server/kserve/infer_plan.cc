#include "server/kserve/infer_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/grpc_status.h"
#include "server/request_checks.h"

namespace attendant::kserve {
namespace {

InputRules RulesOf(const config::Limits& limits, const EngineModel& model) {
  return {InputName(model), limits.max_contents(),
          model.image != nullptr ? limits.max_image_bytes() : limits.max_content_bytes()};
}

// Before the model was known, any message might have had images.
absl::Status CheckBytes(const config::Limits& limits, const EngineModel& model, int64_t bytes) {
  if (model.image != nullptr || bytes <= limits.max_request_bytes()) return absl::OkStatus();
  return Rejected(RejectReason::kTooLarge,
                  absl::ResourceExhaustedError(absl::StrCat(
                      "the message is larger than the server's limit of ", limits.max_request_bytes(),
                      " bytes for texts; send fewer or smaller inputs")));
}

absl::StatusOr<InferPlan> ReadPlan(const InputRules& rules, const ServedModel& model,
                                   inference::ModelInferRequest& request) {
  InferPlan plan;
  ATTENDANT_ASSIGN_OR_RETURN(plan.outputs, ReadOutputs(request, model.engine));
  ATTENDANT_ASSIGN_OR_RETURN(plan.parameters, ReadParameters(request, model.engine));
  ATTENDANT_ASSIGN_OR_RETURN(plan.input, TakeInput(rules, request));
  plan.id = std::move(*request.mutable_id());
  const int count = plan.NumTasks() * static_cast<int>(plan.input.elements.size());
  ATTENDANT_RETURN_IF_ERROR(CheckInputCount(model, rules.name, count));
  return plan;
}

}  // namespace

InferLimits LimitsOf(const config::Limits& limits) {
  InferLimits result;
  result.max_bytes = std::max(limits.max_request_bytes(), limits.max_image_request_bytes());
  result.max_elements = limits.max_contents();
  return result;
}

bool InferPlan::Wants(Output output) const {
  return std::any_of(outputs.begin(), outputs.end(),
                     [output](const RequestedOutput& wanted) { return wanted.spec.output == output; });
}

int InferPlan::NumTasks() const {
  return static_cast<int>(WantsTranslation()) + static_cast<int>(WantsEmbedding()) +
         static_cast<int>(WantsClasses());
}

absl::StatusOr<InferPlan> PlanInfer(const config::Limits& limits, const ServedModel& model,
                                    ParsedInferRequest request) {
  ATTENDANT_RETURN_IF_ERROR(CheckBytes(limits, model.engine, request.bytes));
  absl::StatusOr<InferPlan> plan = ReadPlan(RulesOf(limits, model.engine), model, request.message);
  if (!plan.ok()) return Rejected(RejectReason::kInvalid, plan.status());
  return plan;
}

}  // namespace attendant::kserve
