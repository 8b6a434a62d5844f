#include "server/auth/grpc_caller.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace attendant {
namespace {

absl::string_view View(grpc::string_ref text) {
  return {text.data(), text.size()};
}

// "Bearer KEY", the scheme in any case.
void TakeAuthorization(absl::string_view value, CallerCredentials& credentials) {
  constexpr absl::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(value, kScheme)) {
    credentials.is_malformed = true;
    return;
  }
  credentials.key = std::string(absl::StripAsciiWhitespace(value.substr(kScheme.size())));
}

void TakeNames(const grpc::AuthContext& peer, const char* property, CallerCredentials& credentials) {
  for (const grpc::string_ref& name : peer.FindPropertyValues(property)) {
    credentials.certificate_names.emplace_back(name.data(), name.size());
  }
}

}  // namespace

CallerCredentials CredentialsOf(const grpc::ServerContextBase& context) {
  CallerCredentials credentials;
  const auto& metadata = context.client_metadata();
  const auto authorization = metadata.equal_range("authorization");
  if (authorization.first != authorization.second) {
    TakeAuthorization(View(authorization.first->second), credentials);
    if (std::next(authorization.first) != authorization.second) credentials.is_malformed = true;
    return credentials;
  }
  const auto api_key = metadata.find("x-api-key");
  if (api_key != metadata.end()) {
    credentials.key = std::string(View(api_key->second));
    return credentials;
  }
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return credentials;
  for (const char* property :
       {GRPC_X509_CN_PROPERTY_NAME, GRPC_PEER_DNS_PROPERTY_NAME, GRPC_PEER_URI_PROPERTY_NAME}) {
    TakeNames(*peer, property, credentials);
  }
  return credentials;
}

absl::StatusOr<Admission> AdmitCall(KeyRing& keys, Access access, grpc::ServerContextBase& context) {
  if (keys.is_open()) return Admission();
  absl::StatusOr<Admission> admission = keys.Admit(access, CredentialsOf(context));
  if (const auto ms = RetryAfterMs(admission.status())) {
    context.AddTrailingMetadata("retry-after-ms", absl::StrCat(*ms));
  }
  return admission;
}

}  // namespace attendant
