#include "server/http/http_status.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

using Json = nlohmann::ordered_json;

// Bytes that are not UTF-8 are replaced: a message may quote what a client sent.
std::string Dump(const Json& json) {
  constexpr int kNoIndent = -1;
  return json.dump(kNoIndent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

const char* OpenAiType(int http_status) {
  if (http_status == 429) return "requests";
  return http_status >= 500 ? "server_error" : "invalid_request_error";
}

Json OpenAiCode(int http_status, absl::StatusCode code) {
  if (code == absl::StatusCode::kUnauthenticated) return "invalid_api_key";
  if (code == absl::StatusCode::kNotFound) return "model_not_found";
  if (http_status == 429) return "rate_limit_exceeded";
  return nullptr;
}

HttpResponse MakeResponse(ApiStyle style, int http_status, absl::StatusCode code, absl::string_view message) {
  const std::string text(message);
  HttpResponse response;
  response.status = http_status;
  if (style == ApiStyle::kLibreTranslate) {
    response.body = Dump({{"error", text}});
  } else {
    response.body = Dump({{"error",
                           {{"message", text},
                            {"type", OpenAiType(http_status)},
                            {"param", nullptr},
                            {"code", OpenAiCode(http_status, code)}}}});
  }
  return response;
}

}  // namespace

ApiStyle StyleOf(absl::string_view path) {
  return absl::StartsWith(path, "/v1/") ? ApiStyle::kOpenAi : ApiStyle::kLibreTranslate;
}

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

HttpResponse ErrorResponse(ApiStyle style, const absl::Status& status, absl::string_view retry_after_ms) {
  HttpResponse response = MakeResponse(style, HttpStatusOf(status.code()), status.code(),
                                       absl::string_view(status.message().data(), status.message().size()));
  int64_t milliseconds = 0;
  if (absl::SimpleAtoi(retry_after_ms, &milliseconds) && milliseconds >= 0) {
    response.retry_after = absl::StrCat((milliseconds + 999) / 1000);
  }
  return response;
}

HttpResponse ErrorResponse(ApiStyle style, int http_status, absl::string_view message) {
  return MakeResponse(style, http_status, absl::StatusCode::kUnknown, message);
}

absl::Status ToAbslStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace attendant
