#include "server/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/types/span.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"

namespace attendant {

Sha256Digest Sha256(absl::string_view bytes) {
  Sha256Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

absl::StatusOr<Sha256Digest> Sha256OfFile(const std::filesystem::path& file) {
  ATTENDANT_ASSIGN_OR_RETURN(const InputFile input, InputFile::Open(file));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Sha256Digest digest{};
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
    return absl::InternalError("libcrypto has no SHA-256");
  }
  constexpr uint64_t kChunk = 1 << 20;
  std::vector<std::byte> chunk(kChunk);
  for (uint64_t offset = 0; offset < input.size_bytes(); offset += kChunk) {
    const auto part = absl::MakeSpan(chunk).first(std::min(kChunk, input.size_bytes() - offset));
    ATTENDANT_RETURN_IF_ERROR(input.ReadAt(offset, part));
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  }
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return digest;
}

std::string ToHex(const Sha256Digest& digest) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::optional<Sha256Digest> DigestFromHex(absl::string_view hex) {
  Sha256Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  if (!std::all_of(hex.begin(), hex.end(), [](char c) { return absl::ascii_isxdigit(c); }))
    return std::nullopt;
  // Abseil's own way to do this is deprecated in Debian 13, and the new one is not there in 12.
  const auto value = [](char digit) {
    return absl::ascii_isdigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
  };
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(16 * value(hex[2 * i]) + value(hex[2 * i + 1]));
  }
  return digest;
}

bool AreEqualInConstantTime(const Sha256Digest& a, const Sha256Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace attendant
