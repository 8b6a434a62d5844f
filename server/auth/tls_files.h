#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "server/server_config.pb.h"

namespace attendant {

// Certificate and key that belong together, as PEM, and the authorities of clients.
struct TlsMaterial {
  std::string certificate_chain;
  std::string key;
  std::string client_ca;  // "": clients need no certificate.
  int64_t not_after = 0;  // Unix time; the earliest of the chain.
};

// Reads and checks the files at Unix time `now`. Errors: INVALID_ARGUMENT, one line that says which file,
// what is wrong (unreadable, no PEM, an encrypted key, key and certificate of different pairs, expired, not
// valid yet) and what to do.
absl::StatusOr<TlsMaterial> ReadTlsFiles(const config::Tls& files, int64_t now);

}  // namespace attendant
