#pragma once

#include <grpcpp/server_context.h>

#include "absl/status/statusor.h"
#include "server/auth/key_ring.h"

namespace attendant {

// What a call shows: the metadata `authorization: Bearer KEY`, or `x-api-key: KEY` if there is none; and the
// verified client certificate's common name, DNS names and URIs. Metadata is there before any message is
// read.
CallerCredentials CredentialsOf(const grpc::ServerContextBase& context);

// Lets the call in or says why not; the client of a call over its quota is told when to come again, in the
// trailing metadata `retry-after-ms`. Errors: as KeyRing::Admit.
absl::StatusOr<Admission> AdmitCall(KeyRing& keys, Access access, grpc::ServerContextBase& context);

}  // namespace attendant
