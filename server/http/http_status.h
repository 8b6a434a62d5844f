#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/http/http_exchange.h"

namespace attendant {

// Whose shape an error has.
enum class ApiStyle {
  kOpenAi,          // {"error":{"message":...,"type":...,"param":null,"code":...}}
  kLibreTranslate,  // {"error":"..."}
};

// /v1/... is OpenAI's.
ApiStyle StyleOf(absl::string_view path);

// As google.rpc.Code maps to HTTP, with 499 for CANCELLED.
int HttpStatusOf(absl::StatusCode code);

// status: not OK. retry_after_ms: what the server's trailer says, "" if it says nothing.
HttpResponse ErrorResponse(ApiStyle style, const absl::Status& status, absl::string_view retry_after_ms = "");
// For what is wrong before there is a call: 404, 405.
HttpResponse ErrorResponse(ApiStyle style, int http_status, absl::string_view message);

absl::Status ToAbslStatus(const grpc::Status& status);

}  // namespace attendant
