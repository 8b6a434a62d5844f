#include "server/auth/new_key.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/base/status_macros.h"
#include "server/auth/key_file.h"
#include "server/sha256.h"

namespace attendant {
namespace {

constexpr size_t kRandomBytes = 32;

absl::StatusOr<std::string> RandomBytes() {
  std::string bytes(kRandomBytes, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return absl::UnavailableError("the system gives no random bytes");
    filled += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace

absl::StatusOr<NewKey> MakeNewKey(absl::string_view id, absl::string_view roles) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string bytes, RandomBytes());
  NewKey result;
  result.key = absl::StrCat("att_", absl::WebSafeBase64Escape(bytes));
  result.entry = absl::StrCat("key { id: \"", absl::CEscape(id), "\" sha256: \"", ToHex(Sha256(result.key)),
                              "\" role: [", absl::AsciiStrToUpper(roles), "] }");
  // Whatever the reader of the file would refuse is refused here, in its words.
  if (const auto parsed = ParseKeyFile(result.entry, "--new-key"); !parsed.ok()) return parsed.status();
  return result;
}

}  // namespace attendant
