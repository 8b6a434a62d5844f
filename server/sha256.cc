#include "server/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"

namespace attendant {

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

}  // namespace attendant
