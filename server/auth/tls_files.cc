#include "server/auth/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

constexpr uint64_t kMaxPemBytes = 1 << 20;

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

absl::Status WrongFile(absl::string_view file, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file, ": ", what));
}

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  absl::StatusOr<std::string> text = ReadTextFile(path, kMaxPemBytes);
  if (text.ok()) return text;
  return absl::InvalidArgumentError(
      absl::StrCat(text.status().message(), "; see --tls-certificate, --tls-key and --tls-client-ca"));
}

BioPtr PemReader(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

// Without it OpenSSL asks the terminal for a passphrase.
int NoPassphrase(char*, int, int, void*) {
  return 0;
}

std::vector<X509Ptr> Certificates(const std::string& pem) {
  std::vector<X509Ptr> result;
  const BioPtr in = PemReader(pem);
  while (X509* certificate = PEM_read_bio_X509(in.get(), nullptr, &NoPassphrase, nullptr)) {
    result.emplace_back(certificate, &X509_free);
  }
  ERR_clear_error();  // The end of the file is one.
  return result;
}

KeyPtr PrivateKey(const std::string& pem) {
  KeyPtr key(PEM_read_bio_PrivateKey(PemReader(pem).get(), nullptr, &NoPassphrase, nullptr), &EVP_PKEY_free);
  ERR_clear_error();
  return key;
}

int64_t UnixTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return timegm(&parts);
}

std::string Readable(int64_t unix_time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::FromUnixSeconds(unix_time), absl::UTCTimeZone());
}

absl::Status CheckTimes(const X509& certificate, const std::string& file, int64_t now) {
  const int64_t begin = UnixTime(X509_get0_notBefore(&certificate));
  const int64_t end = UnixTime(X509_get0_notAfter(&certificate));
  if (end <= now) {
    return WrongFile(file,
                     absl::StrCat("the certificate expired on ", Readable(end), "; put a new one there"));
  }
  if (begin > now) {
    return WrongFile(file, absl::StrCat("the certificate is valid only from ", Readable(begin),
                                        "; put one there that is valid now, or set the clock"));
  }
  return absl::OkStatus();
}

absl::Status CheckPair(const config::Tls& files, X509& certificate, const std::string& key_pem) {
  const KeyPtr key = PrivateKey(key_pem);
  if (key == nullptr) {
    return WrongFile(files.key(),
                     "is not a PEM private key without a passphrase; openssl pkey -in KEY removes one");
  }
  const bool match = X509_check_private_key(&certificate, key.get()) == 1;
  ERR_clear_error();
  if (match) return absl::OkStatus();
  return WrongFile(files.key(), absl::StrCat("is not the key of the first certificate in ",
                                             files.certificate(), "; put the two that were made together"));
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsFiles(const config::Tls& files, int64_t now) {
  TlsMaterial material;
  ATTENDANT_ASSIGN_OR_RETURN(material.certificate_chain, ReadPem(files.certificate()));
  ATTENDANT_ASSIGN_OR_RETURN(material.key, ReadPem(files.key()));
  const std::vector<X509Ptr> chain = Certificates(material.certificate_chain);
  if (chain.empty())
    return WrongFile(files.certificate(), "has no PEM certificate; give the server's, then its chain");
  material.not_after = std::numeric_limits<int64_t>::max();
  for (const X509Ptr& certificate : chain) {
    ATTENDANT_RETURN_IF_ERROR(CheckTimes(*certificate, files.certificate(), now));
    material.not_after = std::min(material.not_after, UnixTime(X509_get0_notAfter(certificate.get())));
  }
  ATTENDANT_RETURN_IF_ERROR(CheckPair(files, *chain.front(), material.key));
  if (files.client_ca().empty()) return material;
  ATTENDANT_ASSIGN_OR_RETURN(material.client_ca, ReadPem(files.client_ca()));
  if (Certificates(material.client_ca).empty()) {
    return WrongFile(files.client_ca(),
                     "has no PEM certificate; give that of the authority that signs clients'");
  }
  return material;
}

}  // namespace attendant
