// The file of API keys, whatever is in it: an error of one line, or keys within their limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "server/auth/key_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto keys = attendant::ParseKeyFile(text, "keys");
  if (!keys.ok()) {
    if (absl::StrContains(keys.status().message(), "\n")) std::abort();
    return 0;
  }
  if (keys->empty() || keys->size() > attendant::kMaxKeys) std::abort();
  for (const attendant::KeyRecord& key : *keys) {
    const bool is_known_by_something = key.digest.has_value() || !key.certificates.empty();
    if (!is_known_by_something || key.roles == 0 || key.rate.burst < 1 || key.max_concurrent < 0)
      std::abort();
    if (key.rate.per_second < 0 || key.rate.per_second > 1e6) std::abort();
  }
  return 0;
}
