#include "server/prepared_request.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/converters.h"
#include "server/grpc_status.h"
#include "server/lenient_request.pb.h"
#include "server/message.h"
#include "server/request_checks.h"

namespace attendant {
namespace {

using server::LenientTranslateRequest;

MessageLimits LimitsOf(const config::Limits& limits) {
  MessageLimits result;
  result.max_bytes = limits.max_request_bytes();
  result.bulk_field = LenientTranslateRequest::kContentsFieldNumber;
  result.max_bulk_fields = limits.max_contents();
  return result;
}

absl::Status CheckContents(const config::Limits& limits, const LenientTranslateRequest& request) {
  if (request.contents().empty()) {
    return Rejected(RejectReason::kInvalid,
                    absl::InvalidArgumentError("contents: is empty; give at least one text"));
  }
  for (int i = 0; i < request.contents_size(); ++i) {
    const auto bytes = static_cast<int64_t>(request.contents(i).size());
    if (bytes > limits.max_content_bytes()) {
      return Rejected(RejectReason::kText,
                      absl::InvalidArgumentError(
                          absl::StrCat("contents[", i, "]: ", bytes, " bytes are more than the limit of ",
                                       limits.max_content_bytes(), "; split the text")));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PreparedRequest> PrepareRequest(const ServiceContext& context, const grpc::ByteBuffer& message,
                                               TimePoint deadline) {
  LenientTranslateRequest request;
  ATTENDANT_RETURN_IF_ERROR(ParseMessage(message, LimitsOf(context.limits), request));
  ATTENDANT_RETURN_IF_ERROR(CheckContents(context.limits, request));
  ATTENDANT_RETURN_IF_ERROR(Rejected(RejectReason::kInvalid, CheckPriority(request.priority())));
  absl::StatusOr<TranslationOptions> options = ToTask(request.options());
  if (!options.ok()) return Rejected(RejectReason::kInvalid, options.status());

  PreparedRequest result;
  result.options = *std::move(options);
  ATTENDANT_ASSIGN_OR_RETURN(
      result.model, context.registry.Resolve(
                        {request.model(), request.source_language_code(), request.target_language_code()}));
  result.contents.assign(std::make_move_iterator(request.mutable_contents()->begin()),
                         std::make_move_iterator(request.mutable_contents()->end()));
  result.priority = request.priority();
  result.deadline = deadline;
  return result;
}

}  // namespace attendant
